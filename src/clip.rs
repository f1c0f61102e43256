//! Clipping and cleaning of untrusted text that is quoted in messages.

use crate::name::may_be_in_a_name;

/// The maximum number of characters quoted in a message or a report.
const MAX_CHARACTERS: usize = 64;

/// Returns the start of `text`, short enough to quote in a message and long enough to recognize. Control characters and
/// others that no name can contain are left out: in a terminal, a log or a page, they would make the message say
/// something else.
pub fn clip(text: &str) -> String {
    let mut shown = text
        .chars()
        .filter(|character| may_be_in_a_name(*character));
    let mut clipped: String = shown.by_ref().take(MAX_CHARACTERS).collect();
    if shown.next().is_some() {
        clipped.push('…');
    }
    clipped
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

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        assert_eq!(
            clip("na\u{1b}[31mme\r\n\0\u{202e}x\u{200b}\u{feff}"),
            "na[31mmex"
        );
        assert_eq!(clip(&format!("{}é", "\u{7}".repeat(1_000))), "é");
        assert_eq!(clip("Café 北京 🚀"), "Café 北京 🚀");
    }
}
