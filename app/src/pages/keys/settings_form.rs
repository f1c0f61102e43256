//! Converts between a key's settings and the fields of its forms.

use std::mem;

use latchkey::{
    convention::{Convention, NoScope},
    key::{
        Environment, Kind,
        settings::{InvalidKeyField, KeySettings, SettingsChange, rules::Before},
    },
    keys::Key,
    policy::KeyPolicy,
    time::Timestamp,
};

use crate::{
    form::errors::FieldError,
    pages::{
        conflict::{Conflict, name_of},
        field_reader::{FieldReader, expiry, form_field},
    },
    text::time::date,
    values::{
        key_form::{FULL_ACCESS, SettingsForm, access_of},
        key_options::EditKeyOptions,
    },
};

/// Reads the settings of a new key of this kind, and checks everything that does not require the database, so that all
/// errors are shown together.
pub fn read_new(
    form: &SettingsForm,
    (kind, environment): (Option<Kind>, Option<Environment>),
    fields: &mut FieldReader,
    (convention, policy): (&Convention, &KeyPolicy),
    now: Timestamp,
) -> Option<KeySettings> {
    let project = fields.project(&form.project);
    let settings = read(form, kind, fields);
    check_access(form, convention, policy, fields);
    let expires_at = expiry(&form.expires, &form.expires_on, now);
    let checkable = settings.clone().or_else(|| unnamed(form, kind));
    if let (Some(kind), Some(mut settings)) = (kind, checkable) {
        // An invalid expiry is reported below.
        settings.expires_at = expires_at.unwrap_or(Some(now.plus(1)));
        let mut all = settings.check(kind, convention, Before::Nothing, now);
        // What breaks only a policy is left to the creation, which knows whether this form has already created the key.
        let is_wrong = !all.is_empty() || !fields.errors.is_empty();
        if let Some(environment) = environment.filter(|_| is_wrong) {
            let of = (kind, environment);
            all.extend(policy.broken_by(&settings, of, convention, Before::Nothing, now));
        }
        for wrong in all {
            let field = form_field(wrong.field());
            if !fields.has_error(field) {
                fields.errors.push(FieldError::new(field, wrong));
            }
        }
    }
    let expires_at = fields.take("expires", expires_at);
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
    (convention, policy): (&Convention, &KeyPolicy),
    fields: &mut FieldReader,
    now: Timestamp,
) -> Option<SettingsChange> {
    let with_scopes = !convention.scopes.is_empty();
    let project = fields.project(&form.project);
    let settings = read(form, None, fields);
    check_access(form, convention, policy, fields);
    let expires_at = match form.expires.as_str() {
        "keep" => None,
        expires => fields.take("expires", expiry(expires, &form.expires_on, now)),
    };
    let settings = settings?;
    Some(SettingsChange {
        project,
        scopes: (with_scopes || !form.scopes.is_empty()).then_some(settings.scopes.clone()),
        expires_at,
        domains: None,
        localhost_forbidden: None,
        ..SettingsChange::from(settings)
    })
}

/// Checks that the form says what the key can do. Elsewhere, no scopes can mean full access; in a form, full access is a
/// choice of its own, so that nobody chooses it by choosing nothing.
fn check_access(
    form: &SettingsForm,
    convention: &Convention,
    policy: &KeyPolicy,
    fields: &mut FieldReader,
) {
    let must_choose = convention.no_scope_means == NoScope::All && !convention.scopes.is_empty();
    if must_choose && form.access != FULL_ACCESS && form.scopes.is_empty() {
        let error = match policy.scopes_required {
            true => FieldError::new("scopes", InvalidKeyField::ScopesRequired),
            false => FieldError::new(
                "scopes",
                "Select what the key can do, or choose full access.",
            ),
        };
        fields.errors.push(error);
    }
}

/// Reads the settings of a form whose name is invalid, to check the other fields.
fn unnamed(form: &SettingsForm, kind: Option<Kind>) -> Option<KeySettings> {
    let named = SettingsForm {
        name: "-".to_owned(),
        ..form.clone()
    };
    read(&named, kind, &mut FieldReader::default())
}

/// Parses the fields that both forms have. Domains that were entered before the kind was changed to secret are ignored.
fn read(form: &SettingsForm, kind: Option<Kind>, fields: &mut FieldReader) -> Option<KeySettings> {
    let is_widget = kind == Some(Kind::Widget);
    let text = |field: &str| match field {
        "domains" | "localhost_forbidden" if !is_widget => String::new(),
        field => form.text(field),
    };
    KeySettings::read(text, |field, sentence| {
        fields.errors.push(FieldError::new(field, sentence));
    })
}

/// The form's initial values for a key.
pub fn of_key(key: &Key) -> SettingsForm {
    SettingsForm {
        kind: key.summary.kind.as_str().to_owned(),
        base: key.revision().to_string(),
        ..SettingsForm::of(&key.settings)
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
    mut form: SettingsForm,
    conflict: &Conflict,
    now: EditKeyOptions,
) -> (SettingsForm, Vec<FieldError>) {
    if form.access == FULL_ACCESS {
        form.scopes.clear();
    }
    let mut stored = now.values;
    let shown = shown(&mut stored.clone(), &now.offered.projects, now.expires);
    let shown = shown
        .iter()
        .map(|(field, name, text)| (*field, *name, text.as_str()));
    let errors = conflict.errors("this key", &shown.collect::<Vec<_>>());
    for ((field, _, typed), (.., stored)) in form.texts().into_iter().zip(stored.texts()) {
        *typed = conflict.resolve(field, mem::take(typed), mem::take(stored));
    }
    let scopes = conflict.resolve("scopes", form.scopes, stored.scopes);
    let values = SettingsForm {
        access: access_of(scopes.is_empty()),
        scopes,
        base: stored.base,
        ..form
    };
    (values, errors)
}

/// The stored settings in readable form: the setting, the name of its field, and the text.
fn shown(
    stored: &mut SettingsForm,
    projects: &[(String, String)],
    expires: String,
) -> Vec<(&'static str, &'static str, String)> {
    let scopes = stored.scopes.join(", ");
    stored.project = name_of(projects, &stored.project).to_owned();
    stored.expires = expires;
    let texts = stored.texts().into_iter();
    let texts = texts.filter(|(_, name, _)| *name != "expires_on");
    let texts = texts.map(|(field, name, text)| (field, name, text.clone()));
    texts.chain([("scopes", "scopes", scopes)]).collect()
}
