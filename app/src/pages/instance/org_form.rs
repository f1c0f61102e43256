//! Deleting an organization as an operator.

use latchkey::{id::OrgId, operators::orgs};

use crate::{
    error::AppError,
    pages::{
        answer::FormAnswer,
        delete_org::{DeleteForm, delete_confirmed},
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
    let org = org.filter(|org| org.deleted_at.is_none());
    let org = org.ok_or(AppError::NotFound)?.org;
    let permit = operator.permit(&org);
    delete_confirmed(&request, &permit, &org, &form, request.path().to_owned()).await
}
