//! The form that asks the owners to rotate or revoke a key, for those who cannot do it themselves.

use latchkey::{
    access::Membership,
    key::Status,
    keys::create::new_creation_token,
    reviews::{MAX_COMMENT, Verdict},
    role::Action,
};
use leptos::prelude::*;

use super::fields::KeyForm;
use crate::{error::AppError, request::PageRequest};

/// What the user can ask of the owners.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Makes a form that is submitted twice ask once.
    token: String,
    /// Whether it can only be asked because the key leaked: by a member, who has created it.
    is_report: bool,
}

impl Asking {
    /// `None` if the user can rotate and revoke the key themselves, cannot ask, or there is nothing left to ask.
    pub fn of(
        request: &PageRequest,
        membership: &Membership,
        status: Status,
        is_own: bool,
    ) -> Result<Option<Self>, AppError> {
        let may = |action| membership.may(action);
        let can_do_it = may(Action::RotateKeys) && may(Action::RevokeKeys);
        let is_report = !may(Action::ReviewKeys);
        let can_ask = !is_report || (is_own && may(Action::ReportKeys));
        if can_do_it || !can_ask || status != Status::Active {
            return Ok(None);
        }
        Ok(Some(Self {
            token: new_creation_token(request.engine())?,
            is_report,
        }))
    }
}

#[component]
pub fn AskOwners(
    asking: Asking,
    /// The path of the key's page.
    path: String,
    /// The key's name.
    name: String,
    /// Whether the user has just found the key by its secret.
    is_found: bool,
    /// Whether rotating the key ends the secret that leaked. Another rotation does not end an old one.
    can_rotate: bool,
    /// What was typed and rejected.
    typed: KeyForm,
) -> impl IntoView {
    let is_typed = typed.change == "ask";
    let is_leak = match is_typed {
        true => !typed.leaked.is_empty(),
        false => is_found,
    };
    let (title, text) = match asking.is_report {
        true => (
            "Report as leaked",
            "If someone who should not have the secret knows it, ask the owners to replace it or to revoke the key. They see your report with high severity.",
        ),
        false => (
            "Ask the owners",
            "Owners see your request under Review, and you see there what becomes of it.",
        ),
    };
    let leaked = match asking.is_report {
        true => view! { <input type="hidden" name="leaked" value="yes"/> }.into_any(),
        false => view! {
            <label class="check">
                <input type="checkbox" name="leaked" value="yes" checked=is_leak/>
                <span>"It has leaked"<small>"Someone who should not have the secret knows it. The request has high severity."</small></span>
            </label>
        }
        .into_any(),
    };
    let button = |verdict: Verdict, text: &'static str, name: String| {
        view! { <button class="btn" name="verdict" value=verdict.as_str()>{text}<span class="visually-hidden">" "{name}</span></button> }
    };
    let rotate = can_rotate.then(|| button(Verdict::Rotate, "Ask to rotate", name.clone()));
    let revoke = button(Verdict::Revoke, "Ask to revoke", name.clone());
    let comment = if is_typed {
        typed.comment
    } else {
        String::new()
    };
    view! {
        <section class="card" aria-labelledby="ask-owners">
            <header><h2 id="ask-owners">{title}</h2></header>
            <form class="form body" method="post" action=path>
                <p class="muted small">{text}</p>
                <input type="hidden" name="change" value="ask"/>
                <input type="hidden" name="token" value=asking.token/>
                <input class="input comment" name="comment" value=comment maxlength=MAX_COMMENT autocomplete="off"
                    placeholder="Comment for the owners (optional)" aria-label=format!("Comment for the owners of {name}")/>
                {leaked}
                <div class="actions">{rotate}{revoke}</div>
            </form>
        </section>
    }
}
