//! Reviews of keys (design §8): what someone found when they looked at a key, and what they ask of its owners.
//!
//! A review stores what the reviewer saw, so that it is evidence later. If it says that the key can be kept, its findings
//! need no attention until a date, or until another finding appears ([`crate::findings`]). Otherwise it asks the owners to
//! rotate, narrow, extend or revoke the key, or to allow domains, which is open until the key was changed in that way, an owner answers,
//! the same is asked again, the key is kept, or the reviewer withdraws it. Several such requests can be open together. An owner can promise to do it: the request stays open, and they are reminded of it
//! ([`crate::alerts`]). What was done is taken from the change of the key itself, in its transaction ([`done`]), and is asked
//! again when another change takes it back.
//!
//! Each review is a row of at most about 20 KB, and a key has at most [`MAX_PER_KEY`] of them.

#[cfg(feature = "native")]
mod answer;
mod aspect;
#[cfg(feature = "native")]
pub(crate) mod condition;
#[cfg(feature = "native")]
mod create;
#[cfg(feature = "native")]
pub(crate) mod done;
#[cfg(feature = "native")]
mod export;
#[cfg(feature = "native")]
mod list;
#[cfg(feature = "native")]
mod narrowed;
#[cfg(feature = "native")]
pub(crate) mod open;
#[cfg(feature = "native")]
mod report;
#[cfg(feature = "native")]
mod review;
#[cfg(feature = "native")]
mod undone;
#[cfg(feature = "native")]
mod withdraw;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use crate::{name::is_seen, nfc::nfc, time::DAY};

pub use self::aspect::{Aspect, InvalidAspect};
#[cfg(feature = "native")]
pub use self::{
    answer::{AnswerError, answer, promise},
    condition::{ReviewFilter, ReviewState},
    create::{Created, NewReview, ReviewError, create},
    export::{enter_export, exported},
    list::{ReviewCount, ReviewPage, ReviewQuery, count, count_asked, current, ended, find, list},
    report::{MAX_REPORTS, NewReport, report, reported},
    review::{Answer, AskState, Done, Review, ReviewedKey, SupersededBy},
    withdraw::{WithdrawError, withdraw},
};

/// How long a key can be kept without another review, if the reviewer does not say.
pub const KEPT_FOR: i64 = 90 * DAY;
/// The longest time for which a review can say that a key can be kept.
pub const MAX_KEPT_FOR: i64 = 366 * DAY;
/// The maximum number of reviews of a key.
pub const MAX_PER_KEY: i64 = 1_000;
/// How long after a promise an owner is reminded of it.
pub const REMINDED_AFTER: i64 = 7 * DAY;
/// The maximum length of a comment or an answer, in characters.
pub const MAX_COMMENT: usize = 1_000;

/// What a review concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidVerdict, parse_err_fn = invalid_verdict)]
pub enum Verdict {
    /// The key can stay as it is.
    Keep,
    /// The owners are asked to rotate the key.
    Rotate,
    /// The owners are asked to restrict the key: one [`Aspect`] of it, or any.
    Narrow,
    /// The owners are asked to revoke the key.
    Revoke,
    /// The owners are asked to allow domains whose requests are rejected.
    AllowDomains,
    /// The owners are asked to let the key expire later, or to replace it before it expires.
    Extend,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] = [
        Self::Keep,
        Self::Rotate,
        Self::Narrow,
        Self::Revoke,
        Self::AllowDomains,
        Self::Extend,
    ];

    /// The verdict on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Rotate => "rotate",
            Self::Narrow => "narrow",
            Self::Revoke => "revoke",
            Self::AllowDomains => "allow_domains",
            Self::Extend => "extend",
        }
    }

    /// What it asks of the owners, after "asked to". Empty if nothing.
    pub const fn asks(self, aspect: Option<Aspect>) -> &'static str {
        match (self, aspect) {
            (Self::Keep, _) => "",
            (Self::Rotate, Some(Aspect::Leaked)) => "rotate because it leaked",
            (Self::Rotate, _) => "rotate",
            (Self::Narrow, None | Some(Aspect::Leaked)) => "restrict the key",
            (Self::Narrow, Some(Aspect::Scopes)) => "restrict scopes",
            (Self::Narrow, Some(Aspect::Expiry)) => "make the key expire earlier",
            (Self::Narrow, Some(Aspect::IpRanges)) => "enter IP ranges",
            (Self::Narrow, Some(Aspect::Domains)) => "remove domains",
            (Self::Narrow, Some(Aspect::Localhost)) => "block localhost",
            (Self::Revoke, Some(Aspect::Leaked)) => "revoke because it leaked",
            (Self::Revoke, _) => "revoke",
            (Self::AllowDomains, _) => "allow domains",
            (Self::Extend, _) => "extend or replace the key",
        }
    }

    /// Whether it asks something of the owners.
    pub const fn is_ask(self) -> bool {
        !matches!(self, Self::Keep)
    }
}

/// The text is not a verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be `keep`, `rotate`, `narrow`, `revoke`, `allow_domains` or `extend`")]
pub struct InvalidVerdict;

const fn invalid_verdict(_: &str) -> InvalidVerdict {
    InvalidVerdict
}

/// The text is too long for a comment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("A comment must have at most 1,000 characters.")]
pub struct CommentTooLong;

/// What a reviewer or an owner wrote: at most [`MAX_COMMENT`] characters, trimmed. Can be empty, and is if nothing of it is seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Comment(String);

impl Comment {
    /// The comment as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Comment {
    type Err = CommentTooLong;
    fn from_str(text: &str) -> Result<Self, CommentTooLong> {
        // Browsers send line breaks as CR LF. Postgres rejects NUL.
        let text = text.replace("\r\n", "\n").replace('\0', "");
        let text = nfc(text.trim());
        if text.chars().count() > MAX_COMMENT {
            return Err(CommentTooLong);
        }
        if !is_seen(&text) {
            return Ok(Self::default());
        }
        Ok(Self(text.into_owned()))
    }
}

impl TryFrom<String> for Comment {
    type Error = CommentTooLong;
    fn try_from(text: String) -> Result<Self, CommentTooLong> {
        text.parse()
    }
}

impl From<Comment> for String {
    fn from(comment: Comment) -> Self {
        comment.0
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "native")]
crate::db::text_column!(Comment);
#[cfg(feature = "native")]
crate::db::text_column!(Verdict);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_trimmed_and_bounded() {
        let read = |text: &str| text.parse::<Comment>();
        assert_eq!(read(" a\r\nb\0 ").unwrap().as_str(), "a\nb");
        assert!(read(&"é".repeat(MAX_COMMENT)).is_ok());
        for unseen in [
            "\u{200b}",
            "\u{2800} \u{2800}",
            "\u{3164}",
            "\u{feff}",
            "\u{ad}",
            "\0\n\u{200d}",
        ] {
            assert!(read(unseen).unwrap().is_empty(), "{unseen:?}");
        }
        assert_eq!(read("👩\u{200d}💻").unwrap().as_str(), "👩\u{200d}💻");
        assert_eq!(read(&"é".repeat(MAX_COMMENT + 1)), Err(CommentTooLong));
    }

    #[test]
    fn verdicts_are_read_back() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.as_str().parse(), Ok(verdict));
            assert_eq!(verdict.to_string(), verdict.as_str());
        }
        assert_eq!("stay".parse::<Verdict>(), Err(InvalidVerdict));
    }
}
