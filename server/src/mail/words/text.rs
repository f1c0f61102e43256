//! Texts that letters contain: names and times.

use latchkey::time::Timestamp;
use latchkey_app::{TimeText, date};

/// A name chosen by a stranger, as text that mail programs do not turn into a link: `evil.example/login` would stand in a
/// letter from us like a link of ours. The invisible spaces leave names such as "Node.js team" as they look.
pub fn unlinked(name: &str) -> String {
    /// What makes a word a host, a URL or an address; also the dots of other scripts, which browsers read as dots.
    const SEPARATORS: [char; 8] = [
        '.', ':', '@', '\u{3002}', '\u{ff0e}', '\u{ff61}', '\u{2024}', '\u{fe52}',
    ];
    const ZERO_WIDTH_SPACE: char = '\u{200b}';
    let mut text = String::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        text.push(c);
        let next = chars.peek();
        let goes_on = next.is_some_and(|next| !next.is_whitespace());
        let begins_host = c == '/' && next == Some(&'/');
        if (SEPARATORS.contains(&c) && goes_on) || begins_host {
            text.push(ZERO_WIDTH_SPACE);
        }
    }
    text
}

/// The day of a timestamp, as on the pages, whose tooltips have the zone: "Nov 28, 2026 (UTC)".
pub fn day(at: Timestamp) -> String {
    format!("{} (UTC)", date(at))
}

/// The minute of a timestamp, as on the pages: "Nov 28, 2026, 12:00 UTC".
pub fn minute(at: Timestamp) -> String {
    TimeText::full(at).full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_dots_and_abbreviations_look_the_same() {
        let shown = |text: &str| unlinked(text);
        assert_eq!(shown("Acme, Inc. Team"), "Acme, Inc. Team");
        assert_eq!(shown("Node.js team"), "Node.\u{200b}js team");
        assert_eq!(shown("R/D."), "R/D.");
    }
}
