//! The URL at which browsers reach Latchkey.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

/// An origin: `https://` with any host, or `http://` with a loopback host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// As browsers write it in an `Origin` header: in lower case, without a default port and a trailing slash.
    origin: String,
    /// In lower case. An IPv6 address is in brackets.
    host: String,
    is_https: bool,
}

impl PublicUrl {
    /// Parses a setting.
    ///
    /// # Errors
    /// If the text is invalid. The message says what is valid.
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
            scheme @ ("https" | "http") if scheme == "https" || is_this_machine => Ok(Self {
                origin: url.origin().ascii_serialization(),
                host: url.host_str().unwrap_or_default().to_owned(),
                is_https: scheme == "https",
            }),
            "http" => Err(
                "must use https, because http exposes passwords and keys to the network. Only localhost can use http"
                    .to_owned(),
            ),
            _ => Err("must begin with https:// (or be http://localhost)".to_owned()),
        }
    }

    /// A loopback URL, for local use.
    pub fn localhost(port: u16) -> Self {
        Self {
            origin: format!("http://localhost:{port}"),
            host: "localhost".to_owned(),
            is_https: false,
        }
    }

    /// The origin, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether a host (without port) is the host of this URL. With a loopback URL, every loopback host is accepted.
    pub fn has_host(&self, host: &str) -> bool {
        self.host.eq_ignore_ascii_case(host) || (is_loopback(&self.host) && is_loopback(host))
    }

    /// Whether the host is a loopback host.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// The full name of a cookie. Browsers accept `__Host-` cookies only from https responses, and restrict them to
    /// this host. On <http://localhost>, browsers reject them and share cookies between ports, so the name contains the
    /// port there to separate instances on the same machine.
    pub fn cookie_name(&self, name: &str) -> String {
        if self.is_https {
            return format!("__Host-{name}");
        }
        let port = self.origin.rsplit_once(':').map(|(_, port)| port);
        match port.and_then(|port| port.parse::<u16>().ok()) {
            Some(port) => format!("{name}-{port}"),
            None => name.to_owned(),
        }
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }
}

/// Whether a host is a loopback host. Another site cannot make a browser use one as its own name.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
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

    #[test]
    fn a_host_is_the_one_of_the_url_and_on_this_machine_any_of_its_own() {
        let hosts = |url: &str| {
            let url = PublicUrl::parse(url).unwrap();
            let all = [
                "keys.example.com",
                "KEYS.example.com",
                "evil.example",
                "localhost",
                "127.0.0.1",
                "[::1]",
                "",
            ];
            all.map(|host| url.has_host(host))
        };
        assert_eq!(
            hosts("https://keys.example.com:8443"),
            [true, true, false, false, false, false, false]
        );
        for local in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:80",
        ] {
            assert_eq!(
                hosts(local),
                [false, false, false, true, true, true, false],
                "{local}"
            );
        }
    }

    #[rstest]
    #[case("https://keys.example.com", "__Host-latchkey")]
    #[case("http://localhost:3000", "latchkey-3000")]
    #[case("http://[::1]:3001", "latchkey-3001")]
    #[case("http://[::1]", "latchkey")]
    #[case("http://localhost", "latchkey")]
    fn a_cookie_is_one_instances_alone(#[case] url: &str, #[case] name: &str) {
        assert_eq!(PublicUrl::parse(url).unwrap().cookie_name("latchkey"), name);
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
