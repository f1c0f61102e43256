//! The handler of the forms that change the allowed domains of a widget key.

use super::fields::{Answer, KeyForm};
use crate::{
    operations::edit_domains::edit_domains,
    pages::{answer::FormAnswer, done::Done, keys::key_path},
    request::PageRequest,
    values::key_domains::{DomainsAnswer, DomainsForm},
};

/// Changes the allowed domains of a key: adds the entered domains, removes the domain whose button was pressed, or sets
/// the localhost switch.
pub async fn edit(request: &PageRequest, form: KeyForm) -> Answer {
    let domains = DomainsForm {
        add: form.add.clone(),
        before: form.before.clone(),
        remove: Some(form.remove.clone())
            .filter(|domain| !domain.is_empty())
            .into_iter()
            .collect(),
        localhost: form.localhost.clone(),
    };
    let answer = edit_domains(request, request.org(), request.name("key"), &domains).await?;
    Ok(match answer {
        DomainsAnswer::Changed { removed, .. } => {
            let path = format!("{}#domains", key_path(request));
            let done = if removed.is_empty() {
                Done::DomainsUpdated
            } else {
                Done::DomainRemoved
            };
            FormAnswer::done(path, done.of(request.id("key")?))
        }
        DomainsAnswer::Refused(errors) => FormAnswer::refused_fields(form.sent_back(), errors),
    })
}
