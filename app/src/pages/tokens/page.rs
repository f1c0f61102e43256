//! `/orgs/{org}/tokens`: the service tokens of an organization.

use latchkey::{service_tokens::TokenScope, time::Timestamp};
use leptos::prelude::*;

use super::{
    data::{TokenList, TokenRow, list, list_of_instance, scope_title},
    form::{LIFETIMES, TokenForm},
    shown::CreatedTokenView,
};
use crate::{
    form::{
        choice_group::ChoiceGroup,
        errors::{ErrorTexts, Errors, FormError, described_by, invalid_text},
        field::Field,
    },
    icons::{Icon, Symbol},
    pages::{
        confirm::{NameAgain, PasswordAgain, Question},
        forms::{fields_and_errors, shown},
        frame::PageHead,
        instance::InstanceHead,
        page::page,
    },
    request::PageRequest,
    shown_once::CreatedToken,
    text::time::{Time, in_days},
};

/// The page of an organization. Whether a token is about to be created or revoked is part of the URL.
#[component]
pub fn TokensPage() -> impl IntoView {
    page(list, |request, list| view! { <Tokens request list/> })
}

/// The page of the instance.
#[component]
pub fn InstanceTokensPage() -> impl IntoView {
    page(
        list_of_instance,
        |request, list| view! { <Tokens request list/> },
    )
}

#[component]
fn Tokens(request: PageRequest, list: TokenList) -> impl IntoView {
    let path = request.path().to_owned();
    let docs = request.addresses().docs().to_owned();
    let creates = !request.parameter("new").is_empty();
    let now = request.engine().clock().now();
    let (typed, _) = fields_and_errors(TokenForm::default);
    // A rejected form shows the same card again.
    let revoked = match typed.change.as_str() {
        "revoke" => typed.token,
        _ => request.parameter("revoke"),
    };
    match shown::<CreatedToken>() {
        Some(created) => view! { <CreatedTokenView created/> }.into_any(),
        None => view! { <TokensView path list revoked creates docs now/> }.into_any(),
    }
}

#[component]
fn TokensView(
    path: String,
    list: TokenList,
    /// The ID of the token that is about to be revoked; empty for none.
    revoked: String,
    /// Whether the form of a new token is open.
    creates: bool,
    /// The URL of the documentation.
    docs: String,
    now: Timestamp,
) -> impl IntoView {
    let blank = || TokenForm {
        creation_token: list.creation_token.clone(),
        scope: "verify".to_owned(),
        expires: "365".to_owned(),
        ..TokenForm::default()
    };
    let (typed, errors) = fields_and_errors(blank);
    let errors = Errors::new(errors);
    let to_revoke = list
        .rows
        .iter()
        .find(|row| row.id == revoked && row.status == "active")
        .cloned();
    let of_instance = list.of_instance;
    let creates = creates || list.rows.is_empty() || !errors.is_empty();
    let card = match to_revoke {
        Some(row) => view! { <RevokeCard path=path.clone() row of_instance typed=typed.confirm errors/> }.into_any(),
        None if creates => {
            view! { <NewCard path=path.clone() typed of_instance errors may_cancel=!list.rows.is_empty() now/> }
                .into_any()
        }
        None => ().into_any(),
    };
    let new = format!("{path}?new=1");
    let new = (!creates)
        .then(
            || view! { <a class="btn primary" href=new><Icon symbol=Symbol::Plus/>"Create service token"</a> },
        )
        .into_any();
    let more = list.has_more.then(|| {
        view! { <p class="muted small">"Older tokens that no longer work are not listed."</p> }
    });
    let table = if list.rows.is_empty() {
        view! { <p class="muted body">"No service tokens yet. Create one for the servers that verify your keys."</p> }.into_any()
    } else {
        let rows = list
            .rows
            .into_iter()
            .map(|row| view! { <Row path=path.clone() row/> })
            .collect_view();
        view! {
            <table class="table wide">
                <caption class="visually-hidden">"Service tokens"</caption>
                <thead><tr>
                    <th scope="col">"Name"</th><th scope="col">"Scope"</th><th scope="col" class="drop-3">"Created"</th>
                    <th scope="col">"Expires"</th><th scope="col">"Last used"</th><th scope="col">"Status"</th>
                    <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let reach = if of_instance {
        "These tokens can access all organizations. "
    } else {
        "These tokens can access only this organization. "
    };
    let lead = view! {
        "Your API servers and scripts call Latchkey with a service token. "{reach}
        <a class="link" href=docs>"Documentation"</a>
    }
    .into_any();
    let head = if of_instance {
        view! { <InstanceHead title="Service tokens" lead actions=new/> }.into_any()
    } else {
        view! { <PageHead title="Service tokens" lead>{new}</PageHead> }.into_any()
    };
    view! {
        {head}
        <div class="stack">
            {card}
            <div class="card">{table}</div>
            {more}
        </div>
    }
}

#[component]
fn Row(path: String, row: TokenRow) -> impl IntoView {
    let revoke = format!("{path}?revoke={}", row.id);
    let name = row.name.clone();
    let action = (row.status == "active").then(|| view! {
        <a class="btn quiet" href=revoke>"Revoke"<span class="visually-hidden">" "{name}</span></a>
    });
    let never = || view! { <span class="muted">"Never"</span> };
    let expires = match row.expires {
        Some(text) => view! { <Time text/> }.into_any(),
        None => never().into_any(),
    };
    let last_used = match row.last_used {
        Some(text) => view! { <Time text/> }.into_any(),
        None => never().into_any(),
    };
    let status = status_title(row.status);
    view! {
        <tr>
            <th scope="row"><span class="name">{row.name}</span><code class="muted small">{row.display}</code></th>
            <td data-label="Scope"><span class="tag plain">{scope_title(row.scope)}</span></td>
            <td class="muted nowrap drop-3" data-label="Created"><Time text=row.created/></td>
            <td class="muted nowrap" data-label="Expires">{expires}</td>
            <td class="muted nowrap" data-label="Last used">{last_used}</td>
            <td data-label="Status">{status}</td>
            <td class="end">{action}</td>
        </tr>
    }
}

/// The status of a token as a title.
pub fn status_title(status: &str) -> &'static str {
    match status {
        "active" => "Active",
        "expired" => "Expired",
        _ => "Revoked",
    }
}

#[component]
fn NewCard(
    path: String,
    typed: TokenForm,
    of_instance: bool,
    errors: Errors,
    /// Whether the list has more to show than this form.
    may_cancel: bool,
    now: Timestamp,
) -> impl IntoView {
    // Reloading the page after a rejected form shows the form again.
    let action = format!("{path}?new=1");
    let cancel = may_cancel.then(|| view! { <a class="btn" href=path>"Cancel"</a> });
    let choice = |word: &'static str, title: &'static str, text: &'static str| {
        let chosen = typed.scope == word;
        view! {
            <label class="choice">
                <input type="radio" name="scope" value=word checked=chosen required/>
                <span><b>{title}</b><small>{text}</small></span>
            </label>
        }
    };
    let manages = if of_instance {
        "Also creates and changes organizations, their keys, agents, projects, members, invitations and service tokens, and reads usage and audit logs."
    } else {
        "Also creates, changes and revokes keys, agents and projects, and reads usage and the audit log."
    };
    let scopes = view! {
        {choice("verify", scope_title(TokenScope::Verify), "Calls POST /v1/verify. For your API servers.")}
        {choice("manage", scope_title(TokenScope::Manage), manages)}
    };
    let lifetimes = LIFETIMES
        .map(|days| {
            let (value, text) = (days.to_string(), in_days(days, now));
            let selected = typed.expires == value;
            view! { <option value=value selected=selected>{text}</option> }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="new">
            <header><h2 id="new">"Create service token"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=action class="form">
                    <FormError errors consequence="The token was not created."/>
                    <input type="hidden" name="change" value="create"/>
                    <input type="hidden" name="creation_token" value=typed.creation_token/>
                    <Field name="name" label="Name" hint="What uses it, such as “API servers”." autocomplete="off" maxlength=80 value=typed.name focused=may_cancel errors/>
                    <ChoiceGroup field="scope" legend="What it can do" errors><div class="choices">{scopes}</div></ChoiceGroup>
                    <div class="field">
                        <label for="expires">"Expires"</label>
                        <select class="input" id="expires" name="expires" aria-invalid=invalid_text(errors.of("expires"))
                            aria-describedby=described_by("expires", false, errors.of("expires"))>{lifetimes}</select>
                        <ErrorTexts field="expires" errors/>
                    </div>
                    <PasswordAgain errors/>
                    <div class="actions"><button class="btn primary">"Create service token"</button>{cancel}</div>
                </form>
            </div>
        </section>
    }
}

#[component]
fn RevokeCard(
    path: String,
    row: TokenRow,
    of_instance: bool,
    /// The name that was typed and rejected.
    typed: String,
    errors: Errors,
) -> impl IntoView {
    let used = match row.last_used {
        Some(text) => view! { "Last used "<Time text/>". " }.into_any(),
        None => view! { "It was never used. " }.into_any(),
    };
    let action = path.clone();
    let confirm = row.is_in_use.then(|| {
        view! { <NameAgain name=row.name.clone() what="token" typed errors/> }
    });
    let title = format!("Revoke “{}”?", row.name);
    view! {
        <Question title action cancel=path button="Revoke token">
            <FormError errors consequence="The token was not revoked."/>
            <p>{used}"Servers and scripts that use this token are rejected immediately. This cannot be undone."</p>
            <input type="hidden" name="change" value="revoke"/>
            <input type="hidden" name="token" value=row.id/>
            {confirm}
            {of_instance.then(|| view! { <PasswordAgain errors/> })}
        </Question>
    }
}
