//! What the requests of a key come with. All names and addresses are those that are reserved for examples.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use latchkey::{convention::Scope, domain::DomainPattern, usage::past::CameWith};

use super::story::Story;

/// The browsers of people, the most frequent first.
const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
];

/// Who sends requests.
#[derive(Debug, Clone)]
pub struct Visitor {
    origin: Option<String>,
    /// The place of the domain that allows the origin.
    domain: usize,
    user_agent: &'static str,
    ip: IpAddr,
    scopes: Vec<Scope>,
}

impl Visitor {
    /// The domain that allows the page on which the visitor is.
    pub fn domain<'a>(&self, domains: &'a [DomainPattern]) -> Option<&'a DomainPattern> {
        domains.get(self.domain)
    }

    /// What a request of the visitor comes with, perhaps from another page.
    pub fn came_with<'a>(&'a self, origin: Option<&'a str>) -> CameWith<'a> {
        CameWith {
            scopes: &self.scopes,
            origin: origin.or(self.origin.as_deref()),
            user_agent: Some(self.user_agent),
            ip: Some(self.ip),
        }
    }

    /// The same, as a page would send it.
    pub fn in_browser<'a>(&'a self, origin: Option<&'a str>) -> CameWith<'a> {
        CameWith {
            scopes: &[],
            user_agent: Some(BROWSERS[0]),
            ..self.came_with(origin)
        }
    }
}

/// People who visit pages on these domains, the most frequent first.
pub fn of_pages(domains: &[DomainPattern]) -> Vec<Visitor> {
    let origins: Vec<String> = domains
        .iter()
        .map(|domain| format!("https://{}", domain.to_string().replacen('*', "m", 1)))
        .collect();
    let person = |number: u8| {
        let place = usize::from(number);
        // Most people are at the first of the domains.
        let domain = (place % 3 / 2).min(origins.len().saturating_sub(1));
        Visitor {
            origin: origins.get(domain).cloned(),
            domain,
            user_agent: BROWSERS[place % BROWSERS.len()],
            ip: address(number),
            scopes: Vec::new(),
        }
    };
    (0..14).map(person).collect()
}

/// The servers that use a secret key.
pub fn of_servers(story: &Story, scopes: Vec<Scope>) -> Vec<Visitor> {
    let first = story.name.bytes().fold(0, u8::wrapping_add) % 8;
    let server = |number: u8| Visitor {
        origin: None,
        domain: 0,
        user_agent: story.client,
        ip: address(8 + (first + number) % 4),
        scopes: scopes
            .iter()
            .skip(usize::from(number) % scopes.len().max(1))
            .take(1)
            .cloned()
            .collect(),
    };
    (0..3).map(server).collect()
}

/// An address of a documentation range (RFC 5737 and 3849), each in another network.
fn address(number: u8) -> IpAddr {
    match number % 14 {
        0 => Ipv4Addr::new(192, 0, 2, 17).into(),
        8 => Ipv4Addr::new(198, 51, 100, 24).into(),
        9 => Ipv4Addr::new(203, 0, 113, 80).into(),
        other => Ipv6Addr::new(0x2001, 0xdb8, u16::from(other), 0, 0, 0, 0, 1).into(),
    }
}
