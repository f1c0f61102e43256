//! `/orgs/{org}/keys/{key}`: one key.

mod data;
mod details;
mod domains;
mod effect;
mod requests;
mod revoke;
pub mod secrets;

use latchkey::key::Status;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_location;

use self::{
    data::{KeyDetails, KeyView, show_key},
    details::{Details, Notes, ScopesCard},
    domains::DomainsCard,
    effect::EffectLine,
    requests::Requests,
    revoke::{RevokeButton, RevokeQuestion},
    secrets::{Findings, SecretsCard},
};
use super::{
    change::{DisableKey, EnableKey, refusal_of_change},
    kind_purpose, org_and_key, reason_text,
    state::StateTag,
};
use crate::{
    audit::{HistoryCard, entries_of_key},
    form::FormError,
    form_answer::FormAnswer,
    icons::{Icon, Symbol},
    key_forms::domains::DomainsAnswer,
    layout::{Breadcrumbs, PageHead},
    not_found::ErrorView,
    query::value_of,
    time_text::Time,
};

/// The page.
#[component]
pub fn KeyPage() -> impl IntoView {
    let search = use_location().search;
    let path = org_and_key();
    // Asked in the address, so that the question can be asked where no script runs.
    let asked = Memo::new(move |_| search.with(|search| !value_of(search, "revoke").is_empty()));
    let ending = Memo::new(move |_| search.with(|search| !value_of(search, "end").is_empty()));
    let tried = Memo::new(move |_| search.with(|search| value_of(search, "origin")));
    if let Some(FormAnswer::Failed(error)) = use_context::<DomainsAnswer>() {
        return Either::Left(view! { <ErrorView error/> });
    }
    let key = Resource::new(move || path.get(), |(org, key)| show_key(org, key));
    Either::Right(view! {
        <Transition>
            {move || {
                let asked = asked.get();
                Suspend::new(async move {
                    match key.await {
                        Ok(key) => {
                            view! { <KeyPageView org=path.get_untracked().0 key asked ending=ending.get_untracked() tried=tried.get_untracked()/> }.into_any()
                        }
                        Err(error) => view! { <ErrorView error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    })
}

#[component]
fn KeyPageView(
    org: String,
    key: KeyView,
    asked: bool,
    ending: bool,
    tried: String,
) -> impl IntoView {
    let keys_path = format!("/orgs/{org}/keys");
    let path = format!("{keys_path}/{}", key.id);
    let revocable = key.may_revoke && key.state.status != Status::Revoked;
    let beside = view! { <StateTag state=key.state/> }.into_any();
    let lead = match key.details.as_ref() {
        Some(details) => view! { <code>{details.display.clone()}</code> }.into_any(),
        None => kind_purpose(&key.kind_names, key.kind).into_any(),
    };
    let switch = key.may_disable.then(
        || view! { <SwitchButton org=org.clone() id=key.id.clone() status=key.state.status/> },
    );
    let rotatable = matches!(key.state.status, Status::Active | Status::Disabled)
        && key
            .details
            .as_ref()
            .is_some_and(|details| details.may_rotate);
    let rotate =
        rotatable.then(|| view! { <a class="btn" href=format!("{path}/rotate")>"Rotate…"</a> });
    let whole = (org.clone(), path.clone());
    let question = revocable.then(|| {
        let (id, name) = (key.id.clone(), key.name.clone());
        view! { <RevokeQuestion org=org.clone() id name path=path.clone() in_dialog=!asked/> }
    });
    view! {
        <Breadcrumbs above=vec![(keys_path, "Keys".to_owned())] here=key.name.clone()/>
        <PageHead title=key.name.clone() beside lead>
            {rotate}
            {switch}
            {(revocable && !asked).then(|| view! { <RevokeButton path/> })}
        </PageHead>
        <div class="stack">
            <FormError error=refusal_of_change()/>
            {question}
            <StateNotice org key=key.clone()/>
            {match key.details.clone() {
                Some(details) => Either::Left(view! { <Whole org=whole.0 path=whole.1 key details ending tried/> }),
                None => Either::Right(view! { <Details key details=None edit=None/> }),
            }}
        </div>
    }
}

/// For owners and admins.
#[component]
fn Whole(
    org: String,
    path: String,
    key: KeyView,
    details: KeyDetails,
    ending: bool,
    tried: String,
) -> impl IntoView {
    let edit = details.may_edit.then(|| format!("{path}/edit"));
    let history = details.history.clone().map(|items| {
        let href = entries_of_key(&org, &key.id);
        view! { <HistoryCard items href/> }
    });
    let (id, secrets, may_rotate) = (key.id.clone(), details.secrets.clone(), details.may_rotate);
    view! {
        <Findings findings=details.findings.clone()/>
        <div class="columns">
            <div class="stack">
                <DomainsCard details=details.clone() path tried/>
                <Requests report=details.usage.clone()/>
                <ScopesCard details=details.clone()/>
            </div>
            <div class="stack">
                <Details key details=Some(details.clone()) edit/>
                <SecretsCard secrets org id may_rotate asked=ending/>
                <Notes notes=details.notes/>
                {history}
            </div>
        </div>
    }
}

/// Switches the key off or on, whichever it is not; nothing for a key that has ended.
#[component]
fn SwitchButton(org: String, id: String, status: Status) -> impl IntoView {
    let fields = view! { <input type="hidden" name="org" value=org/><input type="hidden" name="key" value=id/> };
    match status {
        Status::Active => view! {
            <form method="post" action=DisableKey::PATH>{fields}<button class="btn">"Disable"</button></form>
        }
        .into_any(),
        Status::Disabled => view! {
            <form method="post" action=EnableKey::PATH>{fields}<button class="btn">"Enable"</button></form>
        }
        .into_any(),
        Status::Expired | Status::Revoked => ().into_any(),
    }
}

/// Why the key does not work, where it does not; and whether what was just changed is in effect on every instance.
#[component]
fn StateNotice(org: String, key: KeyView) -> impl IntoView {
    let (details, id) = (key.details, key.id);
    let effect = key.effect.map(|now| view! { <EffectLine org id now/> });
    let (tone, symbol, text) = match key.state.status {
        Status::Active if effect.is_none() => return None,
        Status::Active => (
            "notice ok",
            Symbol::Check,
            view! { "Changed just now." }.into_any(),
        ),
        Status::Disabled => {
            let since = details
                .and_then(|details| details.disabled)
                .map(|time| view! { " since "<Time text=time/> });
            ("notice info", Symbol::Info, view! { "Disabled"{since}". Requests with it are rejected until you enable it again." }.into_any())
        }
        Status::Expired => (
            "notice warn",
            Symbol::Alert,
            view! { "Expired. Requests with it are rejected." }.into_any(),
        ),
        Status::Revoked => {
            let reason = key
                .state
                .reason
                .map(|reason| format!(": {}", reason_text(reason)));
            let on = details
                .and_then(|details| details.revoked)
                .map(|time| view! { " on "<Time text=time/> });
            ("notice bad", Symbol::Alert, view! { "Revoked"{on}{reason}". Requests with it are rejected. This cannot be undone." }.into_any())
        }
    };
    Some(view! { <div class=tone><Icon symbol/><div><p>{text}</p>{effect}</div></div> })
}
