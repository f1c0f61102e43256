//! The address under which browsers reach Latchkey.

use std::fmt;

use url::{Host, Url};

/// An origin: `https://` with any host, or `http://` with this machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// As browsers write it in an `Origin` header: lower case, without a default port and a trailing slash.
    origin: String,
    is_https: bool,
}

impl PublicUrl {
    /// Reads a setting.
    ///
    /// # Errors
    /// With a sentence that says what would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text)
            .map_err(|error| format!("is not a URL ({error}); write https://HOST"))?;
        if url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
        {
            return Err(
                "must be only a scheme and host, such as https://keys.example.com".to_owned(),
            );
        }
        let is_this_machine = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(Self {
                origin: url.origin().ascii_serialization(),
                is_https: true,
            }),
            "http" if is_this_machine => Ok(Self {
                origin: url.origin().ascii_serialization(),
                is_https: false,
            }),
            "http" => Err(
                "must use https, because http exposes passwords and keys to the network. Only localhost can use http"
                    .to_owned(),
            ),
            _ => Err("must begin with https:// (or be http://localhost)".to_owned()),
        }
    }

    /// This machine's, for trying out.
    pub fn localhost(port: u16) -> Self {
        Self {
            origin: format!("http://localhost:{port}"),
            is_https: false,
        }
    }

    /// The origin, without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers come over https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://Keys.Example.com:443/", "https://keys.example.com")]
    #[case("http://localhost:3000", "http://localhost:3000")]
    #[case("http://[::1]:80", "http://[::1]")]
    fn an_origin_is_written_as_browsers_write_it(#[case] text: &str, #[case] origin: &str) {
        let url = PublicUrl::parse(text).unwrap();
        assert_eq!(url.origin, origin);
        assert_eq!(url.is_https(), origin.starts_with("https:"));
    }

    #[rstest]
    #[case::http_that_others_can_read("http://keys.example.com")]
    #[case::no_scheme("keys.example.com")]
    #[case::a_path("https://a.example/path")]
    #[case::another_scheme("ftp://a.example")]
    #[case::a_user("https://u@a.example")]
    #[case::nothing("")]
    fn what_would_be_unsafe_or_is_no_origin_is_refused(#[case] text: &str) {
        PublicUrl::parse(text).unwrap_err();
    }
}
