//! E-mail addresses.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

#[cfg(feature = "native")]
use crate::id::UserId;

/// An e-mail address in lower case, so that a user has one account regardless of how they type the address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Why a text is not a valid e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmailAddress {
    /// The text does not have the form of an address.
    #[error("Enter an e-mail address such as name@example.com.")]
    Malformed,
    /// Mail cannot be sent to the address, because of its dots (RFC 5321 §4.1.2, "Dot-string").
    #[error(
        "The part of an e-mail address before the @ cannot start or end with a dot or have two dots in a row."
    )]
    Dots,
}

impl EmailAddress {
    /// The address as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a deleted user has instead of an address. Nobody can enter it, as its domain has one label alone: whoever had it as
    /// the address of an account would keep that user from deleting theirs.
    #[cfg(feature = "native")]
    pub(crate) fn of_deleted(user_id: UserId) -> Self {
        Self(format!("{user_id}@deleted"))
    }

    /// Parses the address of an account that exists. Earlier versions accepted addresses that cannot be mailed, with dots
    /// where no mail server accepts them; their users still sign in.
    ///
    /// # Errors
    /// If the text does not have the form of an address.
    pub fn of_account(text: &str) -> Result<Self, InvalidEmailAddress> {
        let text = text.trim().to_ascii_lowercase();
        let malformed = InvalidEmailAddress::Malformed;
        let (local, domain) = text.split_once('@').ok_or(malformed)?;
        let local_fits = (1..=64).contains(&local.len())
            && local.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
            });
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() <= 254
            && local_fits
            && domain.contains('.')
            && domain.split('.').all(label_fits);
        fits.then_some(Self(text)).ok_or(malformed)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    /// Accepts new addresses: what the HTML standard's `<input type=email>` accepts, with at least two labels in the domain,
    /// at most 254 characters (RFC 5321 §4.5.3), and dots only between other characters.
    fn from_str(text: &str) -> Result<Self, InvalidEmailAddress> {
        let address = Self::of_account(text)?;
        let local = address.0.split('@').next().unwrap_or_default();
        if local.split('.').any(str::is_empty) {
            return Err(InvalidEmailAddress::Dots);
        }
        Ok(address)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmailAddress;
    fn try_from(text: String) -> Result<Self, InvalidEmailAddress> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(feature = "native")]
crate::db::text_column!(EmailAddress, |text: &str| {
    // A stored address is not validated again: the rules have become stricter, and must not make accounts unreadable.
    Ok::<EmailAddress, std::convert::Infallible>(EmailAddress(text.to_owned()))
});

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        let address: EmailAddress = " Dana@Northwind.Example ".parse().unwrap();
        assert_eq!(address.as_str(), "dana@northwind.example");
    }

    #[rstest]
    #[case("")]
    #[case("dana")]
    #[case("@x.example")]
    #[case("dana@")]
    #[case("dana@localhost")]
    #[case("a b@x.example")]
    #[case("dana@x..example")]
    #[case("dana@-x.example")]
    #[case("a@b@c.example")]
    #[case::a_second_header("dana@x.example\r\nBcc: e@x.example")]
    fn what_is_no_whole_address_is_refused(#[case] text: &str) {
        let malformed = Err(InvalidEmailAddress::Malformed);
        assert_eq!(text.parse::<EmailAddress>(), malformed);
        assert_eq!(EmailAddress::of_account(text), malformed);
    }

    #[rstest]
    #[case("a..b@x.example")]
    #[case(".a@x.example")]
    #[case("a.@x.example")]
    #[case(".@x.example")]
    fn what_cannot_be_mailed_is_refused_as_a_new_address_alone(#[case] text: &str) {
        assert_eq!(text.parse::<EmailAddress>(), Err(InvalidEmailAddress::Dots));
        assert_eq!(EmailAddress::of_account(text).unwrap().as_str(), text);
    }
}
