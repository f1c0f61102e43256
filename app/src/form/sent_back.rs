//! Limits on how much of a rejected form is rendered again for correction, in characters.

/// Single-line fields.
pub const MAX_NAME: usize = 200;
/// External IDs, which can have 255 characters.
pub const MAX_ID: usize = 400;
/// The path of the page that follows.
pub const MAX_NEXT: usize = 2_000;
/// The revision that the form was rendered with.
pub const MAX_BASE: usize = 500;
/// Lists of domains or IP ranges, equal to the `maxlength` of their fields.
pub const MAX_LIST: usize = 20_000;
/// Notes, whose maximum is 2,000.
pub const MAX_NOTES: usize = 4_000;

/// Truncates a field to `max` characters, enough for the user to recognize an entry that is too long.
pub fn sent_back(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// Truncates a repeated field to at most `most` values of `max` characters each.
pub fn sent_back_each(texts: &[String], most: usize, max: usize) -> Vec<String> {
    let texts = texts.iter().take(most);
    texts.map(|text| sent_back(text, max)).collect()
}
