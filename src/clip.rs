//! Text from outside in sentences of ours.

/// The most characters of it that a sentence or a report repeats.
const MAX_CHARACTERS: usize = 64;

/// As much of what was typed or sent as belongs into a sentence: enough to recognize it.
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
