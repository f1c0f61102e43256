//! Who makes a change, and from where, as recorded in the audit log.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use crate::{
    clock::Monotonic,
    id::{ServiceTokenId, UserId},
    session_hash::SessionHash,
};

/// The user, token or operator that performs an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A signed-in user.
    User(UserId),
    /// An application with a service token.
    Token(ServiceTokenId),
    /// The operator, on the command line.
    CommandLine,
    /// An unauthenticated caller.
    Unknown,
}

/// The interface that the caller uses.
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

/// The details of a request: what the audit log records, and the session, which must not end before a change is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    /// The IP address of the client.
    pub address: Option<IpAddr>,
    /// The type of the client.
    pub client: Option<Client>,
    /// The operating system of the client.
    pub system: Option<System>,
    /// The request ID, which the response and the log contain too.
    pub request_id: Option<Arc<str>>,
    /// The session of a signed-in user. `None` before someone has signed in, and for other callers.
    pub session: Option<SessionHash>,
    /// When the request began, on this process's clock. It has to be answered in time. `None` for other callers.
    pub begun: Option<Monotonic>,
}

/// The type of a client, detected from its `User-Agent` header. The header itself is not stored.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "snake_case")]
pub enum Client {
    /// Mozilla Firefox.
    Firefox,
    /// Microsoft Edge.
    Edge,
    /// Google Chrome, and other browsers that identify as Chrome.
    Chrome,
    /// Apple Safari.
    Safari,
    /// curl.
    Curl,
    /// Anything else.
    Other,
}

/// The operating system of a client, detected from its `User-Agent` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case")]
pub enum System {
    /// Microsoft Windows.
    Windows,
    /// An iPhone or iPad.
    Ios,
    /// Apple macOS; also iPads that identify as a Mac.
    Macos,
    /// Android.
    Android,
    /// ChromeOS.
    ChromeOs,
    /// Linux.
    Linux,
}

/// The caller of an action: who, through which interface, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user, token or operator.
    pub actor: Actor,
    /// The interface that was used.
    pub via: Via,
    /// The details of the request.
    pub visit: Visit,
}

/// A signed-in user, on one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's ID.
    pub user_id: UserId,
    /// The details of the request.
    pub visit: Visit,
}

impl Caller {
    /// The operator on the command line.
    pub const fn command_line() -> Self {
        Self {
            actor: Actor::CommandLine,
            via: Via::Cli,
            visit: Visit {
                address: None,
                client: None,
                system: None,
                request_id: None,
                session: None,
                begun: None,
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
    /// The user's ID, if the actor is a user.
    pub const fn user_id(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Token(_) | Self::CommandLine | Self::Unknown => None,
        }
    }

    /// The type of the actor, on the wire.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Token(_) => "token",
            Self::CommandLine => "command_line",
            Self::Unknown => "unknown",
        }
    }

    /// The actor's ID. The command line and unknown callers have none.
    pub fn id(self) -> Option<String> {
        match self {
            Self::User(id) => Some(id.to_string()),
            Self::Token(id) => Some(id.to_string()),
            Self::CommandLine | Self::Unknown => None,
        }
    }
}

impl Via {
    /// The interface's name on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Client {
    /// Detects the type of a client from its `User-Agent` header.
    pub fn of_user_agent(header: &str) -> Self {
        // Browsers also name the browsers that they are compatible with, so the order matters.
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

impl System {
    /// Detects the operating system of a client from its `User-Agent` header.
    pub fn of_user_agent(header: &str) -> Option<Self> {
        // iPhones say that they are "like Mac OS X", and Android says that it is Linux, so the order matters.
        let signs = [
            ("Windows", Self::Windows),
            ("iPhone", Self::Ios),
            ("iPad", Self::Ios),
            ("Android", Self::Android),
            ("Macintosh", Self::Macos),
            ("CrOS", Self::ChromeOs),
            ("Linux", Self::Linux),
            ("X11", Self::Linux),
        ];
        let known = signs.into_iter().find(|(sign, _)| header.contains(sign));
        known.map(|(_, system)| system)
    }
}

crate::db::text_column!(Client);
crate::db::text_column!(System);

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

    #[test]
    fn a_system_is_told_from_those_that_it_is_like() {
        let of = System::of_user_agent;
        assert_eq!(of("Mozilla/5.0 (Windows NT 10.0)"), Some(System::Windows));
        assert_eq!(
            of("(iPhone; CPU iPhone OS 18_0 like Mac OS X)"),
            Some(System::Ios)
        );
        assert_eq!(of("(Linux; Android 15; Pixel 9)"), Some(System::Android));
        assert_eq!(
            of("(Macintosh; Intel Mac OS X 10_15_7)"),
            Some(System::Macos)
        );
        assert_eq!(of("(X11; CrOS x86_64)"), Some(System::ChromeOs));
        assert_eq!(of("(X11; rv:140.0)"), Some(System::Linux));
        assert_eq!(of("curl/8.9"), None);
    }
}
