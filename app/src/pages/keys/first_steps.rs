//! The panel above the keys that leads from the first key to the first request.
//!
//! A cookie for this organization's keys says what the browser was shown: the panel while it waited, or that the user
//! dismissed it. So it says once that everything works, and does not come back in an organization that has worked for
//! years.

use axum::http::{HeaderValue, header, request::Parts};
use latchkey::key::{Environment, Kind};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::{
    error::AppError, islands::first_steps::FirstStepsList, operations::first_steps::first_steps,
    pages::examples::check, request::PageRequest, values::first_steps::FirstSteps,
};

const COOKIE: &str = "latchkey-steps";
const WAITING: &str = "waiting";
const DISMISSED: &str = "dismissed";
const A_YEAR: u32 = 365 * 24 * 3_600;

/// The panel's data.
#[derive(Debug, Clone)]
pub struct Steps {
    org: String,
    now: FirstSteps,
    /// The command that checks a key.
    check: String,
    /// Whether the user dismisses the panel with this request.
    is_dismissed: bool,
}

/// Loads the steps; `None` for users who are not owners.
pub async fn steps(request: &PageRequest) -> Result<Option<Steps>, AppError> {
    let org = request.org().to_owned();
    let now = match first_steps(request, &org).await {
        Ok(now) => now,
        Err(AppError::Forbidden(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let convention = request.engine().convention();
    let variable = convention.environment_variable(Kind::Secret, Environment::Live);
    let key = format!("${variable}");
    Ok(Some(Steps {
        org,
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
        now,
        check,
        is_dismissed,
    } = steps;
    let was = cookie();
    if is_dismissed {
        set_cookie(&org, DISMISSED, A_YEAR);
    } else if now.request && was == WAITING {
        forget_waiting(&org);
    } else if !now.request && was.is_empty() {
        set_cookie(&org, WAITING, A_YEAR);
    }
    if is_dismissed || was == DISMISSED || (now.request && was != WAITING) {
        return None;
    }
    let keys = format!("/orgs/{org}/keys");
    let dismiss = format!("{keys}?steps=dismiss");
    let again = (!now.request).then(|| {
        view! { <p class="body without-script"><a class="btn small" href=keys>"Check again"</a></p> }
    });
    Some(view! {
        <section class="card" aria-labelledby="first-steps">
            <header><h2 id="first-steps">"First steps"</h2><a class="link small" href=dismiss>"Dismiss"</a></header>
            <FirstStepsList org now check/>
            {again}
        </section>
    })
}

/// Forgets that the panel waits for the first request.
pub fn forget_waiting(org: &str) {
    set_cookie(org, "", 0);
}

fn cookie() -> String {
    let value = || {
        let request = use_context::<Parts>()?;
        let cookies = request.headers.get(header::COOKIE)?.to_str().ok()?;
        let mut cookies = cookies.split("; ");
        let value = cookies.find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))?;
        Some(value.to_owned())
    };
    value().unwrap_or_default()
}

/// The server adds `Secure` if `public_url` is https.
fn set_cookie(org: &str, value: &str, seconds: u32) {
    let cookie = format!(
        "{COOKIE}={value}; Max-Age={seconds}; Path=/orgs/{org}/keys; HttpOnly; SameSite=Lax"
    );
    if let (Some(response), Ok(cookie)) = (
        use_context::<ResponseOptions>(),
        HeaderValue::from_str(&cookie),
    ) {
        response.append_header(header::SET_COOKIE, cookie);
    }
}
