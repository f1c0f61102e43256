//! The details, scopes and notes of a key.

use latchkey::{convention::ScopeSetting, key::settings::KeySettings};
use leptos::{either::Either, prelude::*};

use super::data::{KeyDetails, KeyView, OwnDetails};
use crate::icons::{Icon, Symbol};
use crate::islands::copy_button::CopyButton;
use crate::text::{
    query::query_of,
    scopes::what_it_can_do,
    time::Time,
    words::{environment_title, kind_purpose},
};

#[component]
pub fn Details(
    key: KeyView,
    details: Option<KeyDetails>,
    /// The list of keys.
    keys: String,
    /// The path of the form that edits the key, if the user is allowed to.
    edit: Option<String>,
) -> impl IntoView {
    let expires = key.expires.map_or_else(
        || "Never".into_any(),
        |text| view! { <Time text/> }.into_any(),
    );
    let refused = details
        .as_ref()
        .and_then(|details| details.last_refused.clone());
    let last_used = match (key.last_used, refused) {
        (Some(text), _) => view! { <Time text/> }.into_any(),
        (None, Some(text)) => {
            view! { "No request passed yet, last rejected "<Time text/> }.into_any()
        }
        (None, None) => "Never".into_any(),
    };
    let org_id = details.as_ref().map(|details| details.org_id.clone());
    let more = details.map(|details| {
        let by = details.created_by;
        let approved = details
            .approved_by
            .map(|name| view! { <dt>"Approved"</dt><dd>"by "{name}</dd> });
        let disabled = details
            .disabled
            .map(|(text, by)| view! { <dt>"Disabled"</dt><dd><Time text/>{by}</dd> });
        let revoked = details
            .revoked
            .map(|(text, by)| view! { <dt>"Revoked"</dt><dd><Time text/>{by}</dd> });
        view! {
            <dt>"Project"</dt><dd>{details.project}</dd>
            <dt>"Rate limit"</dt><dd>{details.rate_limits}</dd>
            <OptionalSettings settings=details.settings keys=Some(keys)/>
            <dt>"Created"</dt><dd><Time text=details.created/>{by}</dd>
            {approved}
            {disabled}
            {revoked}
        }
    });
    let own = key.own.map(|own| view! { <Own own/> });
    let domains = (!key.domains_for_members.is_empty()).then(|| {
        view! { <dt>"Allowed domains"</dt><dd>{key.domains_for_members.join(", ")}</dd> }
    });
    let organization =
        org_id.map(|id| view! { <dt>"Organization ID"</dt><dd><code>{id}</code></dd> });
    view! {
        <section class="card" aria-labelledby="details">
            <header><h2 id="details">"Details"</h2>{edit.map(|edit| view! { <a class="link small" href=edit>"Edit"</a> })}</header>
            <dl class="facts body">
                <dt>"ID"</dt><dd class="id"><code id="key-id">{key.id}</code>" "<CopyButton of="key-id".to_owned() class="btn small".to_owned() text="Copy".to_owned() copied="Copied".to_owned()/></dd>
                <dt>"Type"</dt><dd>{kind_purpose(&key.kind_names, key.kind)}</dd>
                <dt>"Environment"</dt><dd>{environment_title(key.environment)}</dd>
                {more}
                {own}
                {domains}
                <dt>"Expires"</dt><dd>{expires}</dd>
                <dt>"Last used"</dt><dd>{last_used}</dd>
                {organization}
            </dl>
        </section>
    }
}

/// What members see of a key that they have created.
#[component]
fn Own(own: OwnDetails) -> impl IntoView {
    let scopes = own
        .scopes
        .map(|scopes| view! { <dt>"Scopes"</dt><dd>{scopes}</dd> });
    let request = own
        .request
        .map(|href| view! { ", "<a class="link" href=href>"for your request"</a> });
    view! {
        <dt>"Secret"</dt><dd><code>{own.display}</code></dd>
        {scopes}
        <dt>"Created"</dt><dd>"by you"{request}</dd>
    }
}

/// The settings that few keys have.
#[component]
pub fn OptionalSettings(
    settings: KeySettings,
    /// The list of keys, which can show those with the same external ID.
    keys: Option<String>,
) -> impl IntoView {
    let ranges: Vec<String> = settings.ip_ranges.iter().map(ToString::to_string).collect();
    let ranges = (!ranges.is_empty()).then(|| {
        view! { <dt>"IP ranges"</dt><dd>{ranges.join(", ")}</dd> }
    });
    let external_id = settings.external_id.map(|id| {
        let same = keys.map(|keys| {
            let href = format!("{keys}{}", query_of(&[("external_id", &id)]));
            view! { " "<a class="link small" href=href>"Keys with this ID"</a> }
        });
        view! { <dt>"External ID"</dt><dd class="id"><code>{id}</code>{same}</dd> }
    });
    view! { {ranges}{external_id} }
}

/// The key's scopes.
#[component]
pub fn ScopesCard(details: KeyDetails) -> impl IntoView {
    let none = if details.no_scope_means_all {
        "Full access: it can do everything, including what is added later."
    } else {
        "None. The key can do only what requires no scope."
    };
    let is_open = details.no_scope_means_all && details.domains.is_some();
    let warning = (is_open && details.scopes.is_empty()).then(|| {
        view! {
            <div class="notice warn"><Icon symbol=Symbol::Alert/>
                <p>"Anyone who visits your pages can read this key and has full access. Its scopes should be only what visitors are allowed to do."</p>
            </div>
        }
    });
    details.with_scopes.then(|| {
        let scopes = details.scopes;
        let list = if scopes.is_empty() {
            Either::Left(view! { <div class="body stack small"><p class="muted">{none}</p>{warning}</div> })
        } else {
            let names: Vec<&str> = scopes.iter().map(|scope| scope.name.as_str()).collect();
            let sentence = what_it_can_do(&names, details.admin_scope.as_deref());
            let rows = scopes
                .into_iter()
                .map(|ScopeSetting { name, description }| view! { <dt><code>{name.to_string()}</code></dt><dd>{description}</dd> })
                .collect_view();
            Either::Right(view! { <p class="body small">{sentence}</p><dl class="facts body">{rows}</dl> })
        };
        view! { <section class="card" aria-labelledby="scopes"><header><h2 id="scopes">"Scopes"</h2></header>{list}</section> }
    })
}

/// The notes, if there are any. Line breaks are kept.
#[component]
pub fn Notes(notes: String) -> impl IntoView {
    (!notes.is_empty()).then(|| {
        let lines = notes
            .lines()
            .map(|line| view! { <p>{line.to_owned()}</p> })
            .collect_view();
        view! {
            <section class="card" aria-labelledby="notes">
                <header><h2 id="notes">"Notes"</h2></header>
                <div class="body small">{lines}</div>
            </section>
        }
    })
}

/// The metadata, if there is any.
#[component]
pub fn MetadataCard(json: String) -> impl IntoView {
    (json != "{}").then(|| {
        view! {
            <section class="card" aria-labelledby="metadata">
                <header><h2 id="metadata">"Metadata"</h2></header>
                <div class="body small"><pre class="wrap"><code>{json}</code></pre></div>
            </section>
        }
    })
}
