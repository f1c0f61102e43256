//! Clipping of untrusted text that is quoted in messages.

/// The maximum number of characters quoted in a message or a report.
const MAX_CHARACTERS: usize = 64;

/// Returns the start of `text`, short enough to quote in a message and long enough to recognize.
pub fn clip(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_clipped_between_two_characters() {
        let most = "é".repeat(MAX_CHARACTERS);
        assert_eq!(clip(&most), most);
        assert_eq!(clip(&format!("{most}é")), format!("{most}…"));
        assert_eq!(clip(""), "");
    }
}
