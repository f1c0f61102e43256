//! The panel that leads from the first key to the first request, above the keys and on the page of a key.

use latchkey::{
    access::to,
    key::{Environment, Kind},
};
use leptos::prelude::*;

use crate::{
    error::AppError,
    islands::first_steps::FirstStepsList,
    operations::{
        first_steps::first_steps,
        seen_steps::{self, DISMISSED, WAITING},
    },
    pages::examples::{check, key_of},
    request::PageRequest,
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
    let convention = request.engine().convention();
    let variable = convention.environment_variable(Kind::Secret, Environment::Live);
    let key = key_of(variable);
    Ok(Some(Steps {
        org,
        page: request.path().to_owned(),
        now,
        check: check(&request.addresses().public_url, &[("key", &key)]),
        is_dismissed: request.parameter("steps") == "dismiss",
    }))
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
