//! What owners set of a key: the fields that creating, editing and importing it, its forms, the API and the command line
//! have in common. What each may be is in [`rules`], how they are stored in `keys/store.rs`.

pub mod rules;

use serde::Serialize;

pub use self::rules::InvalidKeyField;
use super::metadata::{InvalidMetadata, Metadata, as_text, as_text_if_any};
use crate::{
    convention::{MAX_SCOPES, Scope},
    domain::{self, DomainPattern, TOO_MANY_PATTERNS},
    id::ProjectId,
    ip_range::{self, IpRange, TOO_MANY_RANGES},
    list::ParsedList,
    name::{InvalidName, KeyName},
    time::Timestamp,
};

/// How a setting is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A string.
    Text,
    /// An array of strings.
    List,
    /// `true` or `false`.
    Switch,
    /// An object.
    Object,
}

/// The settings that [`KeySettings::read`] reads.
pub const READ: [(&str, Written); 7] = [
    ("name", Written::Text),
    ("scopes", Written::List),
    ("domains", Written::List),
    ("localhost_forbidden", Written::Switch),
    ("ip_ranges", Written::List),
    ("notes", Written::Text),
    ("metadata", Written::Object),
];

/// The settings of a key. Serialized, each field has the name that it has in the API and the audit log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeySettings {
    /// Its name.
    pub name: KeyName,
    /// The project that it belongs to; `None` for the org's first, `Default`. A key that is stored names its project.
    pub project: Option<ProjectId>,
    /// What it may do; empty means what the convention says.
    pub scopes: Vec<Scope>,
    /// Where a widget key works; empty for a secret key.
    pub domains: Vec<DomainPattern>,
    /// Whether pages on localhost may not use it, where the convention leaves that to the key.
    pub localhost_forbidden: bool,
    /// The addresses that its clients come from; empty means any.
    pub ip_ranges: Vec<IpRange>,
    /// When it expires; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// Notes for the team, at most 2,000 characters.
    pub notes: String,
    /// What API servers get with each verification.
    #[serde(serialize_with = "as_text")]
    pub metadata: Metadata,
}

/// Settings to change; `None` leaves one as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SettingsChange {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<KeyName>,
    /// The project that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// What it may do. A scope that the convention no longer has may stay, not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// Where a widget key works: these domains, whatever there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<DomainPattern>>,
    /// Whether pages on localhost may not use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localhost_forbidden: Option<bool>,
    /// The addresses that its clients come from; empty means any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ranges: Option<Vec<IpRange>>,
    /// When it expires; `Some(None)` for never. An expired key works again when this is in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<Timestamp>>,
    /// Notes for the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// What API servers get with each verification.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_text_if_any"
    )]
    pub metadata: Option<Metadata>,
}

impl KeySettings {
    /// Settings with a name and nothing else.
    pub fn named(name: KeyName) -> Self {
        Self {
            name,
            project: None,
            scopes: Vec::new(),
            domains: Vec::new(),
            localhost_forbidden: false,
            ip_ranges: Vec::new(),
            expires_at: None,
            notes: String::new(),
            metadata: Metadata::default(),
        }
    }

    /// Reads the settings that are typed or stand in a file, but for project and expiry, which each place writes in its own
    /// way. `text` gives a field as it was written, with the items of a list between commas or line ends, and an empty text for
    /// a field that is not there. Each sentence on what cannot be read goes to `refuse` with its field, which then has the
    /// value of an empty one; without a name, there are no settings.
    pub fn read(
        text: impl Fn(&'static str) -> String,
        mut refuse: impl FnMut(&'static str, String),
    ) -> Option<Self> {
        let name = text("name").parse();
        let name = name.map_err(|error: InvalidName| refuse("name", error.to_string()));
        let scopes = scopes_of(&text("scopes"));
        let metadata = match text("metadata").as_str() {
            "" => Ok(Metadata::default()),
            text => Metadata::parse(text).map_err(|error| match error {
                InvalidMetadata::NotAnObject => "Must be a JSON object.".to_owned(),
                error => error.to_string(),
            }),
        };
        let localhost_forbidden = match text("localhost_forbidden").to_ascii_lowercase().as_str() {
            "true" => true,
            "" | "false" => false,
            _ => {
                refuse(
                    "localhost_forbidden",
                    "Must be `true` or `false`.".to_owned(),
                );
                false
            }
        };
        Some(Self {
            scopes: scopes.unwrap_or_else(|sentence| {
                refuse("scopes", sentence);
                Vec::new()
            }),
            domains: items(
                domain::parse_list(&text("domains")),
                TOO_MANY_PATTERNS,
                |sentence| refuse("domains", sentence),
            ),
            localhost_forbidden,
            ip_ranges: items(
                ip_range::parse_list(&text("ip_ranges")),
                TOO_MANY_RANGES,
                |sentence| refuse("ip_ranges", sentence),
            ),
            // Browsers send line ends as CR LF.
            notes: text("notes").trim().replace("\r\n", "\n"),
            metadata: metadata.unwrap_or_else(|sentence| {
                refuse("metadata", sentence);
                Metadata::default()
            }),
            ..Self::named(name.ok()?)
        })
    }
}

/// The scopes of a list. One that is too long is not read to its end.
fn scopes_of(text: &str) -> Result<Vec<Scope>, String> {
    let items = text.split([',', '\n', '\r']).map(str::trim);
    let items = items.filter(|item| !item.is_empty()).take(MAX_SCOPES + 1);
    let scopes = items.map(str::parse).collect::<Result<Vec<Scope>, _>>();
    let scopes = scopes.map_err(|error| error.to_string())?;
    if scopes.len() > MAX_SCOPES {
        return Err(InvalidKeyField::TooManyScopes.to_string());
    }
    Ok(scopes)
}

impl SettingsChange {
    /// Makes the change, of the fields that are wanted.
    pub fn apply(self, settings: &mut KeySettings, is_wanted: impl Fn(&str) -> bool) {
        fn set<T>(place: &mut T, value: Option<T>, is_wanted: bool) {
            if let Some(value) = value.filter(|_| is_wanted) {
                *place = value;
            }
        }
        set(&mut settings.name, self.name, is_wanted("name"));
        set(
            &mut settings.project,
            self.project.map(Some),
            is_wanted("project"),
        );
        set(&mut settings.scopes, self.scopes, is_wanted("scopes"));
        set(&mut settings.domains, self.domains, is_wanted("domains"));
        set(
            &mut settings.localhost_forbidden,
            self.localhost_forbidden,
            is_wanted("localhost_forbidden"),
        );
        set(
            &mut settings.ip_ranges,
            self.ip_ranges,
            is_wanted("ip_ranges"),
        );
        set(
            &mut settings.expires_at,
            self.expires_at,
            is_wanted("expires_at"),
        );
        set(&mut settings.notes, self.notes, is_wanted("notes"));
        set(&mut settings.metadata, self.metadata, is_wanted("metadata"));
    }
}

/// The items of a list, with a sentence for each that cannot be read.
fn items<T, E: std::fmt::Display>(
    list: ParsedList<T, E>,
    too_many: &str,
    refuse: impl FnMut(String),
) -> Vec<T> {
    list.sentences(too_many, |_| true)
        .into_iter()
        .for_each(refuse);
    list.items
}
