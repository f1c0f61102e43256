//! `/orgs/{org}/keys/{key}`: a key.

use latchkey::key::Status;
use leptos::{either::Either, prelude::*};

use super::{
    data::{KeyDetails, KeyView, show_key},
    details::{Details, Notes, ScopesCard},
    domains::DomainsCard,
    effect::EffectLine,
    fields::KeyForm,
    findings::Findings,
    found::FoundBySecret,
    requests::Requests,
    revoke::{RevokeButton, RevokeQuestion},
    secrets::SecretsCard,
};
use crate::{
    form::errors::{Errors, FormError},
    icons::{Icon, Symbol},
    pages::{
        audit::{HistoryCard, entries_of_key},
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        keys::state::StateTag,
        page::page,
    },
    text::{
        time::Time,
        words::{kind_purpose, reason_text},
    },
};

/// The page. Query parameters open the confirmations before revoking the key or ending its old secret, so that they
/// work without JavaScript.
#[component]
pub fn KeyPage() -> impl IntoView {
    page(show_key, |request, key| {
        let is_asked = |name: &str| !request.parameter(name).is_empty();
        let asked = Asked {
            revoke: is_asked("revoke"),
            end_old_secret: is_asked("end"),
            key_again: is_asked("shown"),
            origin: request.parameter("origin"),
            found: is_asked("found"),
        };
        view! { <KeyPageView org=request.org().to_owned() key asked/> }
    })
}

/// The query parameters of the page.
#[derive(Debug, Clone)]
struct Asked {
    /// Show the confirmation before revoking.
    revoke: bool,
    end_old_secret: bool,
    /// Explain that the key was already shown, after a form was submitted again.
    key_again: bool,
    /// The origin to test.
    origin: String,
    /// The user found the key by its secret.
    found: bool,
}

#[component]
fn KeyPageView(org: String, key: KeyView, asked: Asked) -> impl IntoView {
    let keys = keys_path(&org);
    let path = format!("{keys}/{}", key.id);
    let revocable = key.may_revoke && key.state.status != Status::Revoked;
    let beside = view! { <StateTag state=key.state/> }.into_any();
    let lead = match key.details.as_ref() {
        Some(details) => view! { <code>{details.display.clone()}</code> }.into_any(),
        None => kind_purpose(&key.kind_names, key.kind).into_any(),
    };
    let (typed, errors) = fields_and_errors(KeyForm::default);
    let errors = Errors::new(errors);
    let switch = key
        .may_disable
        .then(|| view! { <SwitchButton path=path.clone() status=key.state.status/> });
    let rotatable = matches!(key.state.status, Status::Active | Status::Disabled)
        && key
            .details
            .as_ref()
            .is_some_and(|details| details.may_rotate);
    let rotate =
        rotatable.then(|| view! { <a class="btn" href=format!("{path}/rotate")>"Rotate…"</a> });
    let whole = (org.clone(), path.clone());
    let question = revocable.then(|| {
        view! { <RevokeQuestion name=key.name.clone() path=path.clone() in_dialog=!asked.revoke/> }
    });
    let revoke = (revocable && !asked.revoke).then(|| view! { <RevokeButton path=path.clone()/> });
    let found = asked.found.then(|| {
        let rotate = rotatable.then(|| format!("{path}/rotate"));
        let revoke = revocable.then(|| format!("{path}?revoke=1"));
        view! { <FoundBySecret owners=key.owners.clone() rotate revoke/> }
    });
    let was_shown = (asked.key_again && rotatable).then(|| view! { <WasShown path/> });
    view! {
        <Breadcrumbs above=vec![(keys.clone(), "Keys".to_owned())] here=key.name.clone()/>
        <PageHead title=key.name.clone() beside lead>
            {rotate}
            {switch}
            {revoke}
        </PageHead>
        <div class="stack">
            <FormError errors/>
            {was_shown}
            {found}
            {question}
            <StateNotice org key=key.clone()/>
            {match key.details.clone() {
                Some(details) => Either::Left(view! { <Whole org=whole.0 path=whole.1 key details asked typed=typed.add errors/> }),
                None => Either::Right(view! { <Details key details=None keys=keys edit=None/> }),
            }}
        </div>
    }
}

fn keys_path(org: &str) -> String {
    format!("/orgs/{org}/keys")
}

/// Shown after a form was submitted again, when the key can no longer be shown.
#[component]
fn WasShown(path: String) -> impl IntoView {
    view! {
        <div class="notice warn" role="status">
            <Icon symbol=Symbol::Alert/>
            <p>
                "This form was submitted before. The secret was shown then and cannot be shown again. If you did not copy it, "
                <a href=format!("{path}/rotate")>"rotate the key"</a>"."
            </p>
        </div>
    }
}

/// The content for owners and admins.
#[component]
fn Whole(
    org: String,
    path: String,
    key: KeyView,
    details: KeyDetails,
    asked: Asked,
    /// The submitted domains, if they were rejected.
    typed: String,
    errors: Errors,
) -> impl IntoView {
    let edit = details.may_edit.then(|| format!("{path}/edit"));
    let history = details.history.clone().map(|items| {
        let href = entries_of_key(&org, &key.id);
        view! { <div id="key-history"><HistoryCard items href/></div> }
    });
    let (secrets, may_rotate) = (details.secrets.clone(), details.may_rotate);
    view! {
        <Findings findings=details.findings.clone()/>
        <div class="columns">
            <div class="stack">
                <DomainsCard org=org.clone() id=key.id.clone() details=details.clone() tried=asked.origin typed errors/>
                <Requests report=details.usage.clone()/>
                <ScopesCard details=details.clone()/>
            </div>
            <div class="stack">
                <Details key details=Some(details.clone()) keys=keys_path(&org) edit/>
                <SecretsCard secrets path may_rotate asked=asked.end_old_secret/>
                <Notes notes=details.settings.notes/>
                {history}
            </div>
        </div>
    }
}

/// The button that disables or enables the key; none if the key is revoked or expired.
#[component]
fn SwitchButton(path: String, status: Status) -> impl IntoView {
    let (change, text) = match status {
        Status::Active => ("disable", "Disable"),
        Status::Disabled => ("enable", "Enable"),
        Status::Expired | Status::Revoked => return ().into_any(),
    };
    view! { <form method="post" action=path><button class="btn" name="change" value=change>{text}</button></form> }
        .into_any()
}

/// Explains why the key does not work, and whether its last change is in effect on every instance.
#[component]
fn StateNotice(org: String, key: KeyView) -> impl IntoView {
    let (details, id) = (key.details, key.id);
    let effect = key.effect.map(|now| view! { <EffectLine org id now/> });
    let (tone, symbol, text) = match key.state.status {
        Status::Active if effect.is_none() => return None,
        Status::Active => {
            // Replaced by a change in place, whose message says whether it is in effect.
            return Some(view! {
                <div class="notice ok" id="changed"><Icon symbol=Symbol::Check/><div><p>"Changed just now."</p>{effect}</div></div>
            }.into_any());
        }
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
    let effect = effect.map(|effect| view! { <div id="changed">{effect}</div> });
    Some(view! { <div class=tone><Icon symbol/><div><p>{text}</p>{effect}</div></div> }.into_any())
}
