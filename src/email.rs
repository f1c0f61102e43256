//! E-mail addresses.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An e-mail address in lower case, so that a user has one account regardless of how they type the address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// The text is not a valid e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Enter an e-mail address such as name@example.com.")]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// The address as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    /// Accepts what the HTML standard's `<input type=email>` accepts, with at least two labels in the domain and at
    /// most 254 characters (RFC 5321 §4.5.3).
    fn from_str(text: &str) -> Result<Self, InvalidEmailAddress> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.split_once('@').ok_or(InvalidEmailAddress)?;
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
        if text.len() <= 254
            && local_fits
            && domain.contains('.')
            && domain.split('.').all(label_fits)
        {
            Ok(Self(text))
        } else {
            Err(InvalidEmailAddress)
        }
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
crate::db::text_column!(EmailAddress);

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
        assert_eq!(text.parse::<EmailAddress>(), Err(InvalidEmailAddress));
    }
}
