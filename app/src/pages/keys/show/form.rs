//! The handler of the forms of a key's page.

use super::{
    ask_form, domains_form, extend_form,
    fields::{Answer, KeyForm},
    new_secret_form, state_form,
};
use crate::{error::AppError, request::PageRequest};

/// Runs the action that the form names.
pub async fn submit(request: PageRequest, form: KeyForm) -> Answer {
    match form.change.as_str() {
        "disable" => state_form::disable(&request, form).await,
        "enable" => state_form::enable(&request, form).await,
        "revoke" => state_form::revoke(&request, form).await,
        "extend" => extend_form::extend(&request, form).await,
        "undo-extend" => extend_form::undo(&request, form).await,
        "ask" => ask_form::ask(&request, form).await,
        "end-old-secret" => state_form::end_old_secret(&request).await,
        "withdraw-secret" => new_secret_form::withdraw(&request, form).await,
        "reveal-secret" => new_secret_form::reveal(request, form).await,
        "" => domains_form::edit(&request, form).await,
        _ => Err(AppError::Unreadable),
    }
}
