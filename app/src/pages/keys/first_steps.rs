//! The panel that leads from the first key to the first request, above the keys and on the page of a key.

use latchkey::{
    access::{Membership, to},
    key::{Environment, Kind},
    keys::{
        Key,
        list::{KeyQuery, list},
        show::details,
    },
};
use leptos::prelude::*;

use crate::{
    error::AppError,
    islands::first_steps::FirstStepsList,
    operations::{
        first_steps::first_steps,
        seen_steps::{self, DISMISSED, WAITING},
    },
    pages::examples::{check, ip_in, key_of, origin_of},
    request::PageRequest,
    shown_once::scope_of,
    values::first_steps::FirstSteps,
};

/// The panel's data.
#[derive(Debug, Clone)]
pub struct Steps {
    org: String,
    /// The path of the page that shows them.
    page: String,
    now: FirstSteps,
    /// The command that checks a key.
    check: String,
    /// Whether the user dismisses the panel with this request.
    is_dismissed: bool,
}

/// Loads the steps; `None` for users who are not owners.
pub async fn steps(request: &PageRequest) -> Result<Option<Steps>, AppError> {
    let org = request.org().to_owned();
    // Others only open the page, which is not an attempt to do the steps.
    let membership = request.membership().await?;
    if membership.permit_if_allowed::<to::ManageTokens>().is_none() {
        return Ok(None);
    }
    let now = first_steps(request, &org).await?;
    let key = if now.request {
        None
    } else {
        key_to_check(request, &membership).await?
    };
    Ok(Some(Steps {
        org,
        page: request.path().to_owned(),
        now,
        check: check_of(request, key),
        is_dismissed: request.parameter("steps") == "dismiss",
    }))
}

/// The key on whose page the panel is, or the newest one.
async fn key_to_check(
    request: &PageRequest,
    membership: &Membership,
) -> Result<Option<Key>, AppError> {
    let engine = request.engine();
    let id = match request.id("key") {
        Ok(id) => Some(id),
        Err(_) => {
            let newest = KeyQuery {
                descending: true,
                page_size: 1,
                ..KeyQuery::default()
            };
            let newest = list(engine, &membership.permit()?, &newest).await?;
            newest.keys.first().map(|key| key.id)
        }
    };
    match id {
        Some(id) => Ok(details(engine, &membership.permit()?, id).await?),
        None => Ok(None),
    }
}

/// The command that checks a key, from where it works.
fn check_of(request: &PageRequest, key: Option<Key>) -> String {
    let convention = request.engine().convention();
    let (kind, environment) = key
        .as_ref()
        .map_or((Kind::Secret, Environment::Live), |key| {
            (key.summary.kind, key.summary.environment)
        });
    let settings = key.as_ref().map(|key| &key.settings);
    let origin = settings.and_then(|settings| settings.domains.first());
    let origin = origin.map(|domain| origin_of(&domain.to_string()));
    let ip = settings.and_then(|settings| ip_in(&settings.ip_ranges));
    let key = key_of(convention.environment_variable(kind, environment));
    let scope = settings.and_then(|settings| scope_of(&settings.scopes, convention));
    let mut fields = vec![("key", key.as_str())];
    fields.extend(origin.as_deref().map(|origin| ("origin", origin)));
    fields.extend(ip.as_deref().map(|ip| ("ip", ip)));
    check(&request.addresses().public_url, &fields, scope.as_deref())
}

impl Steps {
    /// Whether the panel is shown, with the command that checks the key.
    pub fn has_command(&self) -> bool {
        !self.now.request && !self.is_dismissed && seen_steps::seen() != DISMISSED
    }
}

/// The panel, until the first request was seen or the user dismisses it.
#[component]
pub fn FirstStepsPanel(steps: Steps) -> impl IntoView {
    let Steps {
        org,
        page,
        now,
        check,
        is_dismissed,
    } = steps;
    let was = seen_steps::seen();
    if is_dismissed {
        seen_steps::remember(&org, DISMISSED);
    } else if now.request && was == WAITING {
        seen_steps::forget(&org);
    } else if !now.request && was.is_empty() {
        seen_steps::remember(&org, WAITING);
    }
    if is_dismissed || was == DISMISSED || (now.request && was != WAITING) {
        return None;
    }
    let dismiss = format!("{page}?steps=dismiss");
    let again = (!now.request).then(|| {
        view! { <p class="body without-script"><a class="btn small" href=page>"Check again"</a></p> }
    });
    Some(view! {
        <section class="card" aria-labelledby="first-steps">
            <header><h2 id="first-steps">"First steps"</h2><a class="link small" href=dismiss>"Dismiss"</a></header>
            <FirstStepsList org now check/>
            {again}
        </section>
    })
}
