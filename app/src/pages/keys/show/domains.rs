//! Where a widget key works: its list of domains, with their use, changed by owners; and a place to try an origin.

use leptos::prelude::*;

use super::data::KeyDetails;
use crate::{form::errors::Errors, islands::key_domains::KeyDomainsEditor};

/// The card; nothing for a secret key, which no page may hold.
#[component]
pub fn DomainsCard(
    /// The org's slug.
    org: String,
    /// The key's id.
    id: String,
    details: KeyDetails,
    /// The origin that is tried.
    tried: String,
    /// Domains that were to be added and were refused.
    typed: String,
    /// What is wrong with them.
    errors: Errors,
) -> impl IntoView {
    let may_edit = details.may_edit;
    details.domains.map(|domains| {
        view! {
            <section class="card" aria-labelledby="domains">
                <header><h2 id="domains">"Allowed domains"</h2><span class="muted small">"Requests of the last 7 days"</span></header>
                <KeyDomainsEditor org key=id domains may_edit tried typed errors=errors.of_field("add")/>
            </section>
        }
    })
}
