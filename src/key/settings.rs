//! The settings of a key: the fields shared by creating, editing and importing keys, and by forms, the API and the
//! command line. The validation rules are in [`rules`]; `keys/store.rs` stores the settings.

pub mod rules;

use serde::{Deserialize, Serialize};

pub use self::rules::{InvalidKeyField, InvalidKeyFields};
use super::metadata::{InvalidMetadata, Metadata, as_text, as_text_if_any, from_text};
use crate::{
    convention::{MAX_SCOPES, Scope},
    domain::{self, DomainPattern, TOO_MANY_PATTERNS, stored_patterns},
    id::ProjectId,
    ip_range::{self, IpRange, TOO_MANY_RANGES},
    list::ParsedList,
    name::{InvalidName, KeyName},
    time::Timestamp,
};

/// The JSON type of a setting.
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

/// The settings that [`KeySettings::read`] parses.
pub const READ: [(&str, Written); 8] = [
    ("name", Written::Text),
    ("external_id", Written::Text),
    ("scopes", Written::List),
    ("domains", Written::List),
    ("localhost_forbidden", Written::Switch),
    ("ip_ranges", Written::List),
    ("notes", Written::Text),
    ("metadata", Written::Object),
];

/// The settings of a key. The serialized field names are those of the API and the audit log. Only settings that were checked
/// when they were stored are deserialized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeySettings {
    /// The display name.
    pub name: KeyName,
    /// The ID of the user or object that the key is for, in the operator's own system: at most 255 characters, not
    /// unique.
    pub external_id: Option<String>,
    /// The key's project; `None` means the org's first project, `Default`. Always set on a stored key.
    pub project: Option<ProjectId>,
    /// The key's scopes. Empty means what the convention defines.
    pub scopes: Vec<Scope>,
    /// The domains on which a widget key works. Empty for a secret key.
    #[serde(deserialize_with = "stored_patterns")]
    pub domains: Vec<DomainPattern>,
    /// Whether pages on localhost are forbidden to use the key, if the convention leaves that to the key.
    pub localhost_forbidden: bool,
    /// The IP ranges from which clients can use the key. Empty means any address.
    pub ip_ranges: Vec<IpRange>,
    /// When the key expires; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// Notes for the team, at most 2,000 characters.
    pub notes: String,
    /// The metadata that each verification returns to the API server.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    pub metadata: Metadata,
}

/// A change of settings. A field that is `None` is not changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SettingsChange {
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<KeyName>,
    /// The external ID; `Some(None)` removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Option<String>>,
    /// The key's project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// The key's scopes. A scope that the convention no longer offers can be kept but not added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// The domains on which a widget key works. Replaces the whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<DomainPattern>>,
    /// Whether pages on localhost are forbidden to use the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub localhost_forbidden: Option<bool>,
    /// The IP ranges from which clients can use the key. Empty means any address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ranges: Option<Vec<IpRange>>,
    /// When the key expires; `Some(None)` means never. An expired key works again if this is in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<Timestamp>>,
    /// Notes for the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Metadata that API servers receive with each verification.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_text_if_any"
    )]
    pub metadata: Option<Metadata>,
}

impl KeySettings {
    /// Settings with a name and default values.
    pub fn named(name: KeyName) -> Self {
        Self {
            name,
            external_id: None,
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

    /// Parses settings from a form or a file, except project and expiry, whose format depends on the source. `text`
    /// returns a field's value, with list items separated by commas or line breaks, and an empty string for a missing
    /// field. Errors are passed to `refuse` with their field, which then has its empty value. Returns `None` if the
    /// name is invalid.
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
            external_id: rules::external_id(&text("external_id")),
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
            // Browsers send line breaks as CR LF.
            notes: text("notes").trim().replace("\r\n", "\n"),
            metadata: metadata.unwrap_or_else(|sentence| {
                refuse("metadata", sentence);
                Metadata::default()
            }),
            ..Self::named(name.ok()?)
        })
    }

    /// Returns the settings of [`READ`] as text, in its order, with list items separated by spaces.
    pub fn texts(&self) -> [String; READ.len()] {
        fn list<T: ToString>(items: &[T]) -> String {
            let items: Vec<String> = items.iter().map(T::to_string).collect();
            items.join(" ")
        }
        [
            self.name.to_string(),
            self.external_id.clone().unwrap_or_default(),
            list(&self.scopes),
            list(&self.domains),
            self.localhost_forbidden.to_string(),
            list(&self.ip_ranges),
            self.notes.clone(),
            self.metadata.as_json().to_owned(),
        ]
    }
}

/// Parses a list of scopes. Stops at one more than the maximum.
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
    /// Applies the change to the fields for which `is_wanted` is true.
    pub fn apply(self, settings: &mut KeySettings, is_wanted: impl Fn(&str) -> bool) {
        fn set<T>(place: &mut T, value: Option<T>, is_wanted: bool) {
            if let Some(value) = value.filter(|_| is_wanted) {
                *place = value;
            }
        }
        set(&mut settings.name, self.name, is_wanted("name"));
        set(
            &mut settings.external_id,
            self.external_id,
            is_wanted("external_id"),
        );
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

/// A change that sets every setting to its value here.
impl From<KeySettings> for SettingsChange {
    fn from(settings: KeySettings) -> Self {
        Self {
            name: Some(settings.name),
            external_id: Some(settings.external_id),
            project: settings.project,
            scopes: Some(settings.scopes),
            domains: Some(settings.domains),
            localhost_forbidden: Some(settings.localhost_forbidden),
            ip_ranges: Some(settings.ip_ranges),
            expires_at: Some(settings.expires_at),
            notes: Some(settings.notes),
            metadata: Some(settings.metadata),
        }
    }
}

/// Returns the items of a list and passes a message to `refuse` for each invalid one.
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
