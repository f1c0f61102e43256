//! From the fields to a key.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Permit, to},
    id::{OrgId, ProjectId},
    key::{Environment, Kind},
    keys::{
        create::{CreateKeyError, CreatedKey, NewKey, create, sent_creation_token},
        rules::UnfitField,
    },
    name::KeyName,
    time::Timestamp,
};

use crate::{
    error::AppError,
    form::errors::FieldError,
    pages::{
        answer::FormAnswer,
        field_reader::{FieldReader, expiry, form_field, notes},
        keys::shown_once::{KeyTerms, MadeKey},
    },
    request::PageRequest,
    text::time::date,
    values::key_form::NewKeyForm,
};

/// Creates a key. The answer is the page that shows it, the only one that ever does.
pub async fn submit(
    request: PageRequest,
    form: NewKeyForm,
) -> Result<FormAnswer<NewKeyForm, MadeKey>, AppError> {
    let permit: Permit<to::MakeKeys> = request.permit().await?;
    let (engine, org) = (request.engine(), request.org());
    let new = match read(&form, engine.clock().now()) {
        Ok(new) => new,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    match create(engine, &permit, new.clone()).await {
        Ok(created) => Ok(FormAnswer::Shown(made(
            engine,
            org,
            permit.org_id(),
            &new,
            created,
        ))),
        Err(CreateKeyError::AlreadyMade(id)) => Ok(FormAnswer::Redirect {
            path: format!("/orgs/{org}/keys/{id}"),
            done: None,
        }),
        Err(error @ CreateKeyError::NotOffered(..)) => {
            Ok(FormAnswer::refused(form.sent_back(), "environment", error))
        }
        Err(CreateKeyError::Unfit(error)) => {
            let field = form_field(error.field());
            Ok(FormAnswer::refused(form.sent_back(), field, error))
        }
        Err(CreateKeyError::Fault(fault)) => Err(fault.into()),
    }
}

fn made(engine: &Engine, org: &str, org_id: OrgId, new: &NewKey, created: CreatedKey) -> MadeKey {
    MadeKey {
        key: Arc::new(created.plain),
        name: new.name.to_string(),
        kind: new.kind,
        environment: new.environment,
        domains: new.domains.iter().map(ToString::to_string).collect(),
        created: date(engine.clock().now()),
        expires: new.expires_at.map(date),
        org_id: org_id.to_string(),
        path: format!("/orgs/{org}/keys/{}", created.id),
        is_rotated: false,
        terms: KeyTerms::of(engine.convention(), new.kind, new.environment),
    }
}

/// Reads the fields. What needs the convention or the database is left to [`create`].
pub(super) fn read(form: &NewKeyForm, now: Timestamp) -> Result<NewKey, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let name = fields.take("name", form.name.parse::<KeyName>());
    let kind = fields.take("kind", form.kind.parse::<Kind>());
    let environment = fields.take("environment", form.environment.parse::<Environment>());
    let domains = if kind == Some(Kind::Widget) {
        let known = fields.errors.len();
        let domains = fields.domains("domains", &form.domains);
        if domains.is_empty() && fields.errors.len() == known {
            fields.take("domains", Err::<(), _>(UnfitField::DomainsNeeded));
        }
        domains
    } else {
        Vec::new()
    };
    let ip_ranges = fields.ip_ranges(&form.ip_ranges);
    let scopes = fields.scopes(&form.scopes);
    let expires_at = fields.take("expires", expiry(&form.expires, &form.expires_on, now));
    let project = match form.project.as_str() {
        "" => None,
        // What cannot be an id names no project.
        id => fields.take(
            "project",
            id.parse::<ProjectId>()
                .map_err(|_| UnfitField::NoSuchProject),
        ),
    };
    match (name, kind, environment, scopes, expires_at) {
        (Some(name), Some(kind), Some(environment), Some(scopes), Some(expires_at))
            if fields.errors.is_empty() =>
        {
            Ok(NewKey {
                name,
                kind,
                environment,
                project,
                scopes,
                domains,
                localhost_forbidden: kind == Kind::Widget && form.localhost == "forbid",
                ip_ranges,
                expires_at,
                metadata: Default::default(),
                notes: notes(&form.notes),
                creation_token: sent_creation_token(&form.creation_token),
            })
        }
        _ => Err(fields.errors),
    }
}
