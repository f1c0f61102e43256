//! How much of a refused form is sent back to be corrected.

/// The most characters of a field of one line.
pub const MAX_NAME: usize = 200;
/// The same of an ID of another system, which may have 255.
pub const MAX_ID: usize = 400;
/// The same of the revision that a form was served with.
pub const MAX_BASE: usize = 500;
/// The same of a list of domains or addresses: what its field takes.
pub const MAX_LIST: usize = 20_000;
/// The same of notes, which may have 2,000.
pub const MAX_NOTES: usize = 4_000;

/// What is sent back of a field that is longer than it may be: enough to see what it was.
pub fn sent_back(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// The same of a field that is there several times, of which so many are sent back.
pub fn sent_back_each(texts: &[String], most: usize, max: usize) -> Vec<String> {
    let texts = texts.iter().take(most);
    texts.map(|text| sent_back(text, max)).collect()
}
