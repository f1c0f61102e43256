//! Deleting an organization as an operator.

use latchkey::{id::OrgId, operators::orgs};

use crate::{
    error::AppError,
    pages::{
        answer::FormAnswer,
        delete_org::{DeleteForm, delete_confirmed, deleted_before},
    },
    request::PageRequest,
};

pub async fn submit(
    request: PageRequest,
    form: DeleteForm,
) -> Result<FormAnswer<DeleteForm>, AppError> {
    let operator = request.operator().await?;
    let id: OrgId = request.id("org_id")?;
    let org = orgs::find(request.engine(), &operator, id).await?;
    let found = org.ok_or(AppError::NotFound)?;
    let (org, then) = (found.org, request.path().to_owned());
    if found.deleted_at.is_some() {
        return deleted_before(&request, org.slug.as_str(), then).await;
    }
    let permit = operator.permit(&org);
    delete_confirmed(&request, &permit, &org, &form, then).await
}
