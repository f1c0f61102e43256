//! Converts between a key's settings and the fields of its forms.

use latchkey::{
    key::{
        Kind,
        settings::{InvalidKeyField, KeySettings, SettingsChange},
    },
    keys::Key,
    time::Timestamp,
};

use crate::{
    form::errors::FieldError,
    pages::{
        conflict::{Conflict, name_of},
        field_reader::{FieldReader, expiry},
    },
    text::time::date,
    values::{key_form::SettingsForm, key_options::EditKeyOptions},
};

/// Parses the settings of a new key of this kind.
pub fn read_new(
    form: &SettingsForm,
    kind: Option<Kind>,
    fields: &mut FieldReader,
    now: Timestamp,
) -> Option<KeySettings> {
    let project = fields.project(&form.project);
    let settings = read(form, kind, fields);
    let is_empty = settings
        .as_ref()
        .is_some_and(|settings| settings.domains.is_empty());
    if kind == Some(Kind::Widget) && is_empty && !fields.has_error("domains") {
        fields.take("domains", Err::<(), _>(InvalidKeyField::DomainsNeeded));
    }
    let expires_at = fields.take("expires", expiry(&form.expires, &form.expires_on, now));
    Some(KeySettings {
        project,
        expires_at: expires_at?,
        ..settings?
    })
}

/// Parses the changes to a key. If the convention has no scopes, the form has no scope field, so an empty selection
/// changes nothing.
pub fn read_change(
    form: &SettingsForm,
    with_scopes: bool,
    fields: &mut FieldReader,
    now: Timestamp,
) -> Option<SettingsChange> {
    let project = fields.project(&form.project);
    let settings = read(form, None, fields);
    let expires_at = match form.expires.as_str() {
        "keep" => None,
        expires => fields.take("expires", expiry(expires, &form.expires_on, now)),
    };
    let settings = settings?;
    Some(SettingsChange {
        name: Some(settings.name),
        project,
        scopes: (with_scopes || !form.scopes.is_empty()).then_some(settings.scopes),
        expires_at,
        ip_ranges: Some(settings.ip_ranges),
        notes: Some(settings.notes),
        ..SettingsChange::default()
    })
}

/// Parses the fields that both forms have. Domains that were entered before the kind was changed to secret are ignored.
fn read(form: &SettingsForm, kind: Option<Kind>, fields: &mut FieldReader) -> Option<KeySettings> {
    let is_widget = kind == Some(Kind::Widget);
    let text = |field: &str| match field {
        "name" => form.name.clone(),
        "scopes" => form.scopes.join(","),
        "domains" if is_widget => form.domains.clone(),
        "localhost_forbidden" if is_widget => (form.localhost == "forbid").to_string(),
        "ip_ranges" => form.ip_ranges.clone(),
        "notes" => form.notes.clone(),
        _ => String::new(),
    };
    KeySettings::read(text, |field, sentence| {
        fields.errors.push(FieldError::new(field, sentence));
    })
}

/// The form's initial values for a key.
pub fn of_key(key: &Key) -> SettingsForm {
    let settings = &key.settings;
    let texts = |items: &[String]| items.join("\n");
    SettingsForm {
        name: settings.name.to_string(),
        project: settings
            .project
            .map(|id| id.to_string())
            .unwrap_or_default(),
        scopes: settings.scopes.iter().map(ToString::to_string).collect(),
        expires: "keep".to_owned(),
        ip_ranges: texts(
            &settings
                .ip_ranges
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
        ),
        notes: settings.notes.clone(),
        base: key.revision().to_string(),
        ..SettingsForm::default()
    }
}

/// The expiry date of a key as its form shows it.
pub fn expires(key: &Key) -> String {
    key.settings
        .expires_at
        .map_or_else(|| "never".to_owned(), date)
}

/// Resolves an edit conflict: returns the values to render and an error on each field that both changed.
pub fn resolve(
    form: SettingsForm,
    conflict: &Conflict,
    now: EditKeyOptions,
) -> (SettingsForm, Vec<FieldError>) {
    let stored = now.values;
    let project = name_of(&now.offered.projects, &stored.project);
    let errors = conflict.errors(
        "this key",
        &[
            ("name", "name", &stored.name),
            ("project", "project", project),
            ("scopes", "scopes", &stored.scopes.join(", ")),
            ("expires_at", "expires", &now.expires),
            ("ip_ranges", "ip_ranges", &stored.ip_ranges),
            ("notes", "notes", &stored.notes),
        ],
    );
    let resolve = |field, typed, stored| conflict.resolve(field, typed, stored);
    let values = SettingsForm {
        name: resolve("name", form.name, stored.name),
        project: resolve("project", form.project, stored.project),
        scopes: conflict.resolve("scopes", form.scopes, stored.scopes),
        expires: resolve("expires_at", form.expires, stored.expires),
        expires_on: resolve("expires_at", form.expires_on, stored.expires_on),
        ip_ranges: resolve("ip_ranges", form.ip_ranges, stored.ip_ranges),
        notes: resolve("notes", form.notes, stored.notes),
        base: stored.base,
        ..SettingsForm::default()
    };
    (values, errors)
}
