//! What the policies of an organization require, as sentences at the fields of the forms of keys.

use latchkey::{
    convention::Convention,
    domain::DomainPattern,
    ip_range::IpRange,
    key::{Environment, Kind},
    keys::Key,
    policy::KeyPolicy,
};

use crate::{pages::audit::capitalized, text::days::days_text, values::key_options::NewKeyOptions};

/// A sentence for each field; `None` where nothing is required.
pub struct PolicyNotes {
    pub scopes: Option<String>,
    pub expires: Option<String>,
    pub ip_ranges: Option<String>,
    pub localhost: Option<String>,
}

impl PolicyNotes {
    /// Puts the notes into the choices of a form.
    pub fn put_into(self, options: &mut NewKeyOptions) {
        options.scopes_policy = self.scopes.unwrap_or_default();
        options.expires_policy = self.expires.unwrap_or_default();
        options.ip_ranges_policy = self.ip_ranges.unwrap_or_default();
        options.localhost_policy = self.localhost.unwrap_or_default();
    }
}

/// The notes in the form of a new key, whose kind and environment are chosen there.
pub fn of_new(policy: &KeyPolicy, convention: &Convention) -> PolicyNotes {
    let keys = |kind| format!("live {} keys", convention.kind_names.name(kind));
    PolicyNotes {
        scopes: policy.scopes_required.then(|| {
            let admin = convention.admin_scope.as_ref();
            let admin = admin.map_or_else(String::new, |admin| format!("with {admin} or "));
            format!(
                "Your organization requires scopes: no key can have full access. A key {admin}with all scopes has it, too."
            )
        }),
        expires: policy.longest_life_days.map(|days| {
            let days = days_text(days);
            format!(
                "Your organization limits the life of keys to {days}. They cannot expire later or never."
            )
        }),
        ip_ranges: policy.ip_ranges_required.then(|| {
            format!("Your organization requires them for {}.", keys(Kind::Secret))
        }),
        localhost: policy.localhost_forbidden.then(|| {
            let keys = keys(Kind::Widget);
            let rule = match convention.domains.localhost_switch {
                true => format!("Your organization requires {keys} to block localhost."),
                false => format!("In your organization, {keys} cannot have localhost."),
            };
            format!("{rule} Loopback addresses, such as 127.0.0.1, are forbidden, too.")
        }),
    }
}

/// The policies as sentences of their own, where there are no fields. They are those that reject a key.
pub fn sentences(policy: &KeyPolicy, convention: &Convention) -> Vec<String> {
    let keys = |kind| format!("live {} keys", convention.kind_names.name(kind));
    let sentences = [
        policy
            .scopes_required
            .then(|| "Keys must have scopes: none can have full access.".to_owned()),
        policy
            .longest_life_days
            .map(|days| format!("Keys must expire within {}.", days_text(days))),
        policy
            .ip_ranges_required
            .then(|| capitalized(&format!("{} must have IP ranges.", keys(Kind::Secret)))),
        policy
            .localhost_forbidden
            .then(|| capitalized(&format!("{} cannot work on localhost.", keys(Kind::Widget)))),
    ];
    sentences.into_iter().flatten().collect()
}

/// The notes in the form of an existing key, which can keep what broke a policy before.
pub fn of_key(policy: &KeyPolicy, convention: &Convention, key: &Key) -> PolicyNotes {
    let (settings, kind) = (&key.settings, key.summary.kind);
    let notes = of_new(policy, convention);
    let is_live = key.summary.environment == Environment::Live;
    let needs_ranges = is_live && kind == Kind::Secret;
    let breaks_by = |is_so: bool, text: &str| match is_so {
        true => format!(" {text}"),
        false => String::new(),
    };
    let is_full = convention.is_full_access(&settings.scopes);
    PolicyNotes {
        scopes: notes.scopes.map(|note| {
            note + &breaks_by(
                is_full,
                "This key has it from before and can keep it until its scopes are changed.",
            )
        }),
        expires: notes
            .expires
            .map(|note| note + " This key can keep its expiry date until it is changed."),
        ip_ranges: notes.ip_ranges.filter(|_| needs_ranges).map(|note| {
            let are_too_large =
                !settings.ip_ranges.is_empty() && !IpRange::restrict(&settings.ip_ranges);
            note + &breaks_by(
                settings.ip_ranges.is_empty(),
                "This key can remain without them until it has some.",
            ) + &breaks_by(
                are_too_large,
                "Those of this key have too many addresses. They can remain until they have fewer.",
            )
        }),
        localhost: notes
            .localhost
            .filter(|_| is_live && kind == Kind::Widget)
            .map(|note| {
                let lists_localhost = settings.domains.iter().any(DomainPattern::is_localhost);
                let works =
                    convention.allows_localhost(lists_localhost, settings.localhost_forbidden);
                let is_listed = settings
                    .domains
                    .iter()
                    .any(DomainPattern::is_other_loopback)
                    || (works && lists_localhost && !convention.domains.localhost_switch);
                note + &breaks_by(
                    works && convention.domains.localhost_switch,
                    "This key does not block localhost yet, and works there until it does.",
                ) + &breaks_by(
                    is_listed,
                    "This key has them from before, and works there until they are removed.",
                )
            }),
    }
}
