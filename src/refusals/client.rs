//! The family of a client, which is all that is kept of its `User-Agent` header.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{caller::Client, key::secret_text::can_name_be_secret};

/// The longest product name that is kept. A longer one can be a key that a client sends in the wrong header.
const MAX_NAME: usize = 31;

/// A browser, or the first product in the header (RFC 9110, 10.1.5) without its version: `firefox`, `python-requests`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientFamily(String);

impl ClientFamily {
    /// Detects the family from a `User-Agent` header. `None` if the header does not begin with a product.
    pub fn of_user_agent(header: &str) -> Option<Self> {
        Self::name_in(header).map(Self::named)
    }

    /// The name in a `User-Agent` header, in any case.
    pub(crate) fn name_in(header: &str) -> Option<&str> {
        let client = Client::of_user_agent(header);
        if client != Client::Other {
            return Some(client.into());
        }
        let product = header.trim_start();
        let end = product.find(|character: char| !is_of_name(character));
        let name = product.get(..end.unwrap_or(product.len()))?;
        let is_name = (1..=MAX_NAME).contains(&name.len()) && !can_name_be_secret(name);
        is_name.then_some(name)
    }

    /// The family of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }

    /// The family's name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the character can be part of the name of a product: the common ones of RFC 9110, all of them ASCII.
fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+')
}

impl fmt::Display for ClientFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ClientFamily {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_wrong_header_is_no_family() {
        let key = "lk_sk_live_q66vaguwwjabef0xsvj2gk12yh080abc";
        assert_eq!(ClientFamily::of_user_agent(key), None);
        for key in [
            "5f4dcc3b5aa765d61d8327deb8",
            "sk_9f86d081884c7d65",
            "a".repeat(25).as_str(),
            "A1B2C-AA9CE-G5H6I",
        ] {
            assert_eq!(ClientFamily::of_user_agent(key), None, "{key}");
        }
        let words = "go-".repeat(11);
        assert_eq!(ClientFamily::of_user_agent(&words[..MAX_NAME + 1]), None);
    }

    #[test]
    fn a_family_is_a_browser_or_the_first_product() {
        let of = |header: &str| ClientFamily::of_user_agent(header).map(|family| family.0);
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(
            of("Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0"),
            some("firefox")
        );
        assert_eq!(of("python-requests/2.32.3"), some("python-requests"));
        assert_eq!(of("OpenAI/JS 4.2.0"), some("openai"));
        assert_eq!(of("Mozilla/5.0"), some("mozilla"));
        assert_eq!(of("<script>"), None);
        assert_eq!(of(""), None);
        assert_eq!(
            of("GoogleAssociationService"),
            some("googleassociationservice")
        );
        assert_eq!(of("k6/0.49 okhttp3"), some("k6"));
        assert_eq!(of("node-fetch2-polyfill-for-browser"), None);
        assert_eq!(
            of("node-fetch2-polyfill-for-browse"),
            some("node-fetch2-polyfill-for-browse")
        );
    }
}
