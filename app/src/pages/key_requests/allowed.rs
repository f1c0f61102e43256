//! What a requested key would allow: the sentence that the form shows, and the findings that the key would have.

use latchkey::{
    convention::{Convention, NoScope, Scope},
    findings::Code,
    key_requests::Wanted,
    time::Timestamp,
};
use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    text::{days::days_text, scopes::what_it_can_do, time::date, words::environment_title},
};

/// What a requested key would allow.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// "Secret key · live".
    pub kind: String,
    /// What the key could do; `None` if the convention has no scopes.
    pub sentence: Option<String>,
    /// When the key would expire.
    pub expires: String,
    /// Whether its expiry date has passed.
    pub is_past: bool,
    /// What an owner should notice.
    pub warnings: Vec<Code>,
}

impl Allowed {
    /// What the key would allow if it was created at `now`.
    pub fn of(wanted: &Wanted, convention: &Convention, now: Timestamp) -> Self {
        let scopes = &wanted.settings.scopes;
        let full = convention.is_full_access(scopes);
        let warnings = [
            (Code::FullAccess, full),
            (Code::NoExpiry, wanted.never_expires()),
        ];
        let warnings = warnings.into_iter().filter(|(_, is_so)| *is_so);
        Self {
            kind: format!(
                "{} key · {}",
                convention.kind_names.title(wanted.kind),
                environment_title(wanted.environment).to_lowercase()
            ),
            sentence: (!convention.scopes.is_empty()).then(|| sentence(scopes, convention)),
            expires: match (wanted.expires_in_days, wanted.settings.expires_at) {
                (Some(days), _) => format!("{} after it is revealed", days_text(days.get())),
                (None, Some(at)) => date(at),
                (None, None) => "Never".to_owned(),
            },
            is_past: wanted
                .settings_at(now)
                .expires_at
                .is_some_and(|at| at <= now),
            warnings: warnings.map(|(code, _)| code).collect(),
        }
    }
}

fn sentence(scopes: &[Scope], convention: &Convention) -> String {
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    match names.as_slice() {
        [] if convention.no_scope_means == NoScope::All => {
            "Can do everything, including what is added later.".to_owned()
        }
        [] => "Can do only what requires no scope.".to_owned(),
        names => what_it_can_do(names, convention.admin_scope.as_ref().map(Scope::as_str)),
    }
}

/// The warnings as tags, for lists.
#[component]
pub fn WarningTags(warnings: Vec<Code>) -> impl IntoView {
    (!warnings.is_empty()).then(|| {
        let tags = warnings
            .into_iter()
            .map(|code| view! { <span class="tag plain warn">{code.title()}</span> })
            .collect_view();
        // On phones, a tag of the cell itself is the status of its row.
        view! { <div class="tags">{tags}</div> }
    })
}

/// The warnings as notices.
#[component]
pub fn Warnings(allowed: Allowed) -> impl IntoView {
    let past = allowed.is_past.then(|| {
        view! {
            <div class="notice bad"><Icon symbol=Symbol::Alert/>
                <p><b>"The expiry date has passed."</b>" The key cannot be created with it."</p>
            </div>
        }
    });
    let texts = match allowed.warnings.as_slice() {
        [Code::FullAccess, Code::NoExpiry] => vec![(
            "Full access, and no expiry.".to_owned(),
            "Anyone who gets this key could do everything with it until it is revoked.",
        )],
        codes => {
            let texts = codes.iter().map(|code| {
                let meaning = match code {
                    Code::NoExpiry => "A key that is forgotten would keep working.",
                    _ => "Anyone who gets this key could do everything with it.",
                };
                (format!("{}.", code.title()), meaning)
            });
            texts.collect()
        }
    };
    let warnings = texts.into_iter().map(|(title, meaning)| {
        view! { <div class="notice warn"><Icon symbol=Symbol::Alert/><p><b>{title}</b>" "{meaning}</p></div> }
    });
    view! { {past}{warnings.collect_view()} }
}
