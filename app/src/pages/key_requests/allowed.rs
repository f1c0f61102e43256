//! What a requested key would allow: the sentence that the form shows, and the findings that the key would have.

use latchkey::{
    convention::{Convention, NoScope, Scope},
    findings::Code,
    key_requests::{KeyRequest, Wanted},
};
use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    pages::key_requests::rules::Rules,
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
    /// What an owner should notice.
    pub warnings: Vec<Code>,
    /// Why it cannot be created as it is, with what to change.
    pub obstacles: Vec<String>,
}

impl Allowed {
    /// What the key of a request would allow if it was created now.
    pub fn of(request: &KeyRequest, convention: &Convention, rules: &Rules<'_>) -> Self {
        let wanted = &request.wanted;
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
                environment_title(wanted.environment)
            ),
            sentence: (!convention.scopes.is_empty()).then(|| sentence(scopes, convention)),
            expires: expires_text(wanted),
            warnings: warnings.map(|(code, _)| code).collect(),
            obstacles: rules.obstacles(request),
        }
    }
}

/// When a requested key would expire.
pub fn expires_text(wanted: &Wanted) -> String {
    match (wanted.expires_in_days, wanted.settings.expires_at) {
        (Some(days), _) => format!("{} after it is revealed", days_text(days.get())),
        (None, Some(at)) => date(at),
        (None, None) => "Never".to_owned(),
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

/// What must be changed, and the warnings, for lists.
#[component]
pub fn AllowedTags(allowed: Allowed) -> impl IntoView {
    let Allowed {
        warnings,
        obstacles,
        ..
    } = allowed;
    let broken = (!obstacles.is_empty()).then(|| {
        view! {
            <div class="tags"><span class="tag bad">"Must be changed"</span></div>
            <p class="small muted">{obstacles.join(" ")}</p>
        }
    });
    let warnings = (!warnings.is_empty()).then(|| {
        let tags = warnings
            .into_iter()
            .map(|code| view! { <span class="tag plain warn">{code.title()}</span> })
            .collect_view();
        // On phones, a tag of the cell itself is the status of its row.
        view! { <div class="tags">{tags}</div> }
    });
    view! { {broken}{warnings} }
}

/// What must be changed, before anyone decides or reveals.
#[component]
pub fn Obstacles(
    title: String,
    obstacles: Vec<String>,
    /// What the user can do.
    advice: String,
) -> impl IntoView {
    let sentences = obstacles
        .into_iter()
        .map(|sentence| view! { <p>{sentence}</p> });
    view! {
        <div class="notice bad"><Icon symbol=Symbol::Alert/>
            <div><p><b>{title}</b></p>{sentences.collect_view()}<p>{advice}</p></div>
        </div>
    }
}

/// The warnings as notices.
#[component]
pub fn Warnings(allowed: Allowed) -> impl IntoView {
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
    warnings.collect_view()
}
