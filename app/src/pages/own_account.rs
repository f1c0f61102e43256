//! What someone does with their whole account: `/account/delete`, and the link to `/account/export`.

use latchkey::{
    access::{Operator, Org},
    accounts::delete::{self, DeleteAccountError, only_owner_of},
    operators, orgs,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    answer::FormAnswer,
    confirm::{PasswordAgain, confirm},
    forms::fields_and_errors,
    frame::{Breadcrumbs, PageHead},
    page::page,
};
use crate::{
    error::AppError,
    form::errors::{Errors, FormError, WHOLE_FORM},
    request::PageRequest,
    text::number::counted,
};

/// The form that deletes the account. Its field is never rendered again.
#[derive(Clone, Default, Deserialize)]
pub struct DeleteAccountForm {
    #[serde(default)]
    password: String,
}

struct Account {
    /// The organizations that would have no owner.
    only_owner_of: Vec<Org>,
    org_count: i64,
    is_operator: bool,
    /// Whether the instance would have no operator.
    is_last_operator: bool,
}

async fn load(request: PageRequest) -> Result<Account, AppError> {
    let (engine, user_id) = (request.engine(), request.user_id().await?);
    let orgs = orgs::of_user(engine, user_id).await?;
    let operator = Operator::signed_in(engine, request.person().await?).await?;
    let is_operator = operator.is_some();
    Ok(Account {
        is_operator,
        is_last_operator: is_operator && !operators::has_another(engine, user_id).await?,
        only_owner_of: only_owner_of(engine, user_id).await?,
        org_count: i64::try_from(orgs.len()).unwrap_or(i64::MAX),
    })
}

/// Deletes the account and signs the user out.
pub async fn submit(
    request: PageRequest,
    form: DeleteAccountForm,
) -> Result<FormAnswer<DeleteAccountForm>, AppError> {
    let person = request.person().await?;
    if let Err(answer) = confirm(&request, &form.password, DeleteAccountForm::default).await {
        return answer;
    }
    match delete::delete(request.engine(), person).await {
        Ok(()) => {
            request.end_session().await?;
            Ok(FormAnswer::Redirect {
                path: "/sign-in?deleted=1".to_owned(),
                done: None,
            })
        }
        Err(error @ (DeleteAccountError::OnlyOwner(_) | DeleteAccountError::LastOperator(_))) => {
            let values = DeleteAccountForm::default();
            Ok(FormAnswer::refused(values, WHOLE_FORM, error))
        }
        Err(DeleteAccountError::Fault(fault)) => Err(fault.into()),
    }
}

#[component]
pub fn DeleteAccountPage() -> impl IntoView {
    page(load, |_, account| view! { <DeleteAccountView account/> })
}

#[component]
fn DeleteAccountView(account: Account) -> impl IntoView {
    let (_, errors) = fields_and_errors(DeleteAccountForm::default);
    let errors = Errors::new(errors);
    let content = if account.only_owner_of.is_empty() && !account.is_last_operator {
        let orgs = counted(account.org_count, "organization", "organizations");
        let leaves = (account.org_count > 0).then(|| view! { <li>"You leave "{orgs}"."</li> });
        let operator = account
            .is_operator
            .then(|| view! { <li>"You are no longer an operator of this instance. Others still are."</li> });
        view! {
            <form novalidate=true method="post" action="/account/delete" class="form">
                <FormError errors consequence="Your account was not deleted."/>
                <p>"This cannot be undone:"</p>
                <ul class="list">
                    <li>"You are signed out everywhere and cannot sign in again."</li>
                    {leaves}
                    <li>"Your requests for keys are deleted. Keys that were approved and not revealed are not created."</li>
                    {operator}
                    <li>"Your name, e-mail address and password are removed. Keys that you created keep working, since they belong to the organization. They and the audit log show a deleted user."</li>
                </ul>
                <PasswordAgain errors/>
                <div class="actions decide"><a class="btn" href="/account">"Cancel"</a><button class="btn danger primary">"Delete account"</button></div>
            </form>
        }
        .into_any()
    } else {
        let links = account
            .only_owner_of
            .into_iter()
            .map(|org| {
                let (members, delete) = (
                    format!("/orgs/{}/members", org.slug),
                    format!("/orgs/{}/delete", org.slug),
                );
                view! { <li>"You are the only owner of "<b>{org.name.to_string()}</b>": "<a class="link" href=members>"make someone else an owner"</a>" or "<a class="link" href=delete>"delete the organization"</a></li> }
            })
            .collect_view();
        let operator = account.is_last_operator.then(|| {
            view! { <li>"You are the only operator of this instance: "<a class="link" href="/instance/people">"make someone else an operator"</a></li> }
        });
        view! {
            <FormError errors consequence="Your account was not deleted."/>
            <p>"Before you delete your account:"</p>
            <ul class="list">{links}{operator}</ul>
            <div class="actions"><a class="btn" href="/account">"Back to account"</a></div>
        }
        .into_any()
    };
    view! {
        <Breadcrumbs above=vec![("/account".to_owned(), "Account".to_owned())] here="Delete account"/>
        <PageHead title="Delete your account?"/>
        <div class="card"><div class="body stack">{content}</div></div>
    }
}

/// The part of the account page that leads here.
#[component]
pub fn OwnDataCard() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="own-data">
            <header><h2 id="own-data">"Your data"</h2></header>
            <div class="body row">
                <p class="muted small">"A JSON file with your account, memberships, sessions and own log entries."</p>
                <span class="end row">
                    <a class="btn" href="/account/export">"Export"</a>
                    <a class="btn danger" href="/account/delete">"Delete account…"</a>
                </span>
            </div>
        </section>
    }
}
