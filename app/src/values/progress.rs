//! The progress of a change across the instances.

use serde::{Deserialize, Serialize};

/// The progress of a change across the instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// In effect on every instance, after this many milliseconds if that was measured.
    Everywhere(Option<u32>),
    /// Not in effect on every instance yet.
    Soon,
    /// An instance has not confirmed the change, and applies it at this time of day at the latest.
    Late(String),
}

impl Progress {
    /// The message on the page.
    pub fn sentence(&self) -> String {
        match self {
            // So short that it does not matter.
            Self::Everywhere(None | Some(..100)) => "In effect everywhere.".to_owned(),
            Self::Everywhere(Some(millis)) => {
                let (seconds, hundredths) = (millis / 1_000, millis % 1_000 / 10);
                format!("In effect everywhere after {seconds}.{hundredths:02} seconds.")
            }
            Self::Soon => "Takes effect everywhere within a second.".to_owned(),
            Self::Late(at_the_latest) => format!(
                "Not confirmed everywhere yet. A Latchkey server that does not respond applies the change by \
                 {at_the_latest} at the latest, because servers cache keys for at most one minute."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_how_long_it_took_or_when_it_is_certain() {
        let sentences = [
            Progress::Everywhere(Some(184)),
            Progress::Everywhere(Some(1_204)),
            Progress::Everywhere(Some(99)),
            Progress::Everywhere(None),
            Progress::Soon,
            Progress::Late("12:01:05 UTC".to_owned()),
        ]
        .map(|effect| effect.sentence());
        insta::assert_snapshot!(sentences.join("\n"), @r"
        In effect everywhere after 0.18 seconds.
        In effect everywhere after 1.20 seconds.
        In effect everywhere.
        In effect everywhere.
        Takes effect everywhere within a second.
        Not confirmed everywhere yet. A Latchkey server that does not respond applies the change by 12:01:05 UTC at the latest, because servers cache keys for at most one minute.
        ");
    }
}
