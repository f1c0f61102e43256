//! Who does something, and from where: what the audit log says of every change.

use std::{net::IpAddr, sync::Arc};

use strum::{Display, EnumString, IntoStaticStr};

use crate::id::{ServiceTokenId, UserId};

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Someone who is signed in.
    User(UserId),
    /// A program with a service token.
    Token(ServiceTokenId),
    /// The operator, at the command line.
    CommandLine,
    /// Someone of whom nothing is known: they did not say truly who they are.
    Unknown,
}

/// What they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Via {
    /// The pages.
    Page,
    /// The REST API.
    Api,
    /// The command line.
    Cli,
}

/// One request, as far as the audit log needs to know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    /// The end client's address.
    pub address: Option<IpAddr>,
    /// What kind of program sent it.
    pub client: Option<Client>,
    /// Its id, which is in the answer and in the log too.
    pub request_id: Option<Arc<str>>,
}

/// A kind of program, told from its `User-Agent` header: of the header itself nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Client {
    /// Mozilla Firefox.
    Firefox,
    /// Microsoft Edge.
    Edge,
    /// Google Chrome, and browsers that say that they are.
    Chrome,
    /// Apple Safari.
    Safari,
    /// curl.
    Curl,
    /// Anything else.
    Other,
}

/// Who does something, with what, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// With what.
    pub via: Via,
    /// From where.
    pub visit: Visit,
}

/// Someone who is signed in, on one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub user_id: UserId,
    /// From where.
    pub visit: Visit,
}

impl Caller {
    /// The operator at the command line.
    pub const fn command_line() -> Self {
        Self {
            actor: Actor::CommandLine,
            via: Via::Cli,
            visit: Visit {
                address: None,
                client: None,
                request_id: None,
            },
        }
    }
}

impl From<Person> for Caller {
    fn from(person: Person) -> Self {
        Self {
            actor: Actor::User(person.user_id),
            via: Via::Page,
            visit: person.visit,
        }
    }
}

impl Actor {
    /// The person, when it is one.
    pub const fn user_id(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Token(_) | Self::CommandLine | Self::Unknown => None,
        }
    }

    /// What kind of actor it is, on the wire.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::CommandLine => "command_line",
            Self::Unknown => "unknown",
        }
    }

    /// Their id; the command line and the unknown have none.
    pub fn id(self) -> Option<String> {
        match self {
            Self::User(id) => Some(id.to_string()),
            Self::Token(id) => Some(id.to_string()),
            Self::CommandLine | Self::Unknown => None,
        }
    }
}

impl Via {
    /// Its word on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Client {
    /// The kind of program that sends this `User-Agent` header.
    pub fn of_user_agent(header: &str) -> Self {
        // Each browser names those that it wants to be taken for, so the order matters.
        let signs = [
            ("Firefox/", Self::Firefox),
            ("Edg/", Self::Edge),
            ("Chrome/", Self::Chrome),
            ("Safari/", Self::Safari),
            ("curl/", Self::Curl),
        ];
        let known = signs.into_iter().find(|(sign, _)| header.contains(sign));
        known.map_or(Self::Other, |(_, client)| client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_by_its_own_name() {
        let of = Client::of_user_agent;
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(of(edge), Client::Edge);
        assert_eq!(of(&edge[..edge.len() - 10]), Client::Chrome);
        assert_eq!(
            of("Mozilla/5.0 (X11; rv:140.0) Gecko/20100101 Firefox/140.0"),
            Client::Firefox
        );
        assert_eq!(of("curl/8.9"), Client::Curl);
        assert_eq!(of("\n"), Client::Other);
    }
}
