//! `/invitations/{token}`: what an invitation is for, and the form that accepts it.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    data::{Invited, Viewer, invited},
    form::AcceptForm,
};
use crate::{
    form::{
        errors::{Errors, FormError},
        field::Field,
    },
    pages::{
        entry::EntryFrame,
        forms::{fields_and_errors, shown},
        page::page,
        second_step::{CodeNeeded, CodeStep},
        secret_link::keep_url_secret,
    },
    text::words::{role_can, role_noun},
};

/// The page, also of an invitation that is no longer valid.
#[component]
pub fn InvitationPage() -> impl IntoView {
    keep_url_secret();
    let card = page(invited, |_, invited| view! { <Card invited/> });
    view! { <EntryFrame>{card}</EntryFrame> }
}

#[component]
fn Card(invited: Invited) -> impl IntoView {
    let Invited {
        opened,
        viewer,
        creates_accounts,
    } = invited;
    let (typed, errors) = fields_and_errors(AcceptForm::default);
    let errors = Errors::new(errors);
    let half = shown::<CodeNeeded>().map_or_else(|| typed.half.clone(), |needed| needed.half);
    let org = opened.org.name.to_string();
    let email = opened.email.to_string();
    let role = role_noun(opened.role);
    let title = format!("Join {org}");
    let content = match viewer.clone() {
        Viewer::SignedOut if !half.is_empty() => view! {
            <form novalidate=true class="form" method="post">
                <FormError errors consequence="You have not joined yet."/>
                <CodeStep half errors/>
                <button class="btn primary block">"Join"</button>
            </form>
        }
        .into_any(),
        Viewer::SignedOut => {
            view! { <JoinForm typed errors email=email.clone() creates_accounts/> }.into_any()
        }
        Viewer::Invited => view! {
            <form novalidate=true class="form" method="post">
                <FormError errors/>
                <button class="btn primary block">{format!("Join {org} as {role}")}</button>
            </form>
        }
        .into_any(),
        Viewer::Member => view! {
            <div class="form">
                <p>"You are already a member of this organization."</p>
                <a class="btn block" href=format!("/orgs/{}/keys", opened.org.slug)>"Go to keys"</a>
            </div>
        }
        .into_any(),
        Viewer::Other(own) => view! {
            <div class="form">
                <FormError errors/>
                <p>{format!("You are signed in as {own}. This invitation is for another address.")}</p>
                <form method="post"><button class="btn block" name="sign_out" value="1">"Sign out and continue"</button></form>
            </div>
        }
        .into_any(),
    };
    let by = match opened.inviter {
        Some(name) => format!("{name} invited "),
        None => "You were invited: ".to_owned(),
    };
    let forgot = (viewer == Viewer::SignedOut).then(|| {
        view! { <p class="aside"><a class="link" href="/forgot-password">"Forgot your password?"</a></p> }
    });
    view! {
        <Title text=title.clone()/>
        <div class="card">
            <h1>{title}</h1>
            <p>{by}<b>{email}</b>{format!(" to join {org} as {role}. ")}{role_can(opened.role, None)}</p>
            {content}
        </div>
        {forgot}
    }
}

/// The form for everyone who is signed out, whether or not they have an account: the page does not reveal it. Forms of
/// this page have no action, so that the page does not contain its URL.
#[component]
fn JoinForm(
    typed: AcceptForm,
    errors: Errors,
    email: String,
    creates_accounts: bool,
) -> impl IntoView {
    let focused = errors.is_empty();
    let name = creates_accounts.then(|| {
        view! { <Field name="name" label="Your name" hint="For a new account." autocomplete="name" value=typed.name focused errors/> }
    });
    let (hint, autocomplete) = if creates_accounts {
        (
            "At least 8 characters. Already have an account? Enter its password.",
            "new-password",
        )
    } else {
        (
            "The password of your account. If you have none, ask the operator of this Latchkey instance to create one.",
            "current-password",
        )
    };
    view! {
        <form novalidate=true class="form" method="post">
            <FormError errors consequence="You have not joined yet."/>
            // Tells password managers which account the password belongs to.
            <input hidden type="text" autocomplete="username" value=email/>
            {name}
            <Field name="password" label="Password" hint=hint kind="password" autocomplete=autocomplete minlength=8 maxlength=128 focused=focused && !creates_accounts errors/>
            <button class="btn primary block">"Join"</button>
        </form>
    }
}
