//! The allowed domains of a widget key, with their usage, and a form that tests an origin.

use leptos::prelude::*;

use super::data::KeyDetails;
use crate::{form::errors::Errors, islands::key_domains::KeyDomainsEditor};

/// The card; empty for a secret key, which must not be used in a page.
#[component]
pub fn DomainsCard(
    /// The organization's slug.
    org: String,
    /// The key's ID.
    id: String,
    details: KeyDetails,
    /// The origin to test.
    tried: String,
    /// The submitted domains, if they were rejected.
    typed: String,
    /// The errors of the submitted form.
    errors: Errors,
) -> impl IntoView {
    let (may_edit, may_allow_localhost) = (details.may_edit, details.localhost_policy.is_none());
    let policy = details
        .localhost_policy
        .map(|sentence| view! { <p class="body muted small">{sentence}</p> });
    details.domains.map(|domains| {
        view! {
            <section class="card" aria-labelledby="domains">
                <header><h2 id="domains">"Allowed domains"</h2><span class="muted small">"Requests of the last 7 days"</span></header>
                {policy}
                <KeyDomainsEditor org key=id domains may_edit may_allow_localhost tried typed errors=errors.of_field("add")/>
            </section>
        }
    })
}
