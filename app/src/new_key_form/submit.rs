//! From the fields to a key.

use latchkey::{
    Engine,
    caller::Person,
    id::{OrgId, ProjectId},
    key::{Environment, Kind},
    keys::{
        create::{CreateKeyError, CreatedKey, NewKey, create, sent_creation_token},
        rules::UnfitField,
    },
    name::KeyName,
    time::Timestamp,
};

use super::{KeyTerms, MadeKey, NewKeyAnswer, NewKeyForm, ShownOnce};
use crate::{
    error::AppError,
    form_answer::FieldSentence,
    key_fields::{Errors, expiry, form_field, notes},
    key_forms::permit,
    time_text::date,
};

/// Makes a key from what a person sent for `org`, a slug.
pub async fn submit(engine: &Engine, person: Person, org: &str, form: NewKeyForm) -> NewKeyAnswer {
    let permit = match permit(engine, person, org).await {
        Ok(permit) => permit,
        Err(error) => return NewKeyAnswer::Failed(error),
    };
    let new = match read(&form, engine.clock().now()) {
        Ok(new) => new,
        Err(errors) => {
            return NewKeyAnswer::Refused {
                values: form.sent_back(),
                errors,
            };
        }
    };
    let refused = |field: &str, error: CreateKeyError| {
        NewKeyAnswer::refused(form.clone().sent_back(), field, error)
    };
    match create(engine, &permit, new.clone()).await {
        Ok(created) => NewKeyAnswer::Done(made(engine, org, permit.org_id(), &new, &created)),
        Err(CreateKeyError::AlreadyMade(id)) => NewKeyAnswer::Elsewhere {
            path: format!("/orgs/{org}/keys/{id}"),
            done: None,
        },
        Err(error @ CreateKeyError::NotOffered(..)) => refused("environment", error),
        Err(CreateKeyError::Unfit(error)) => refused(form_field(error.field()), error.into()),
        Err(error @ (CreateKeyError::Randomness(_) | CreateKeyError::Storage(_))) => {
            NewKeyAnswer::Failed(AppError::unavailable(&error))
        }
    }
}

fn made(engine: &Engine, org: &str, org_id: OrgId, new: &NewKey, created: &CreatedKey) -> MadeKey {
    MadeKey {
        key: ShownOnce::new(&created.plain),
        name: new.name.to_string(),
        kind: new.kind,
        environment: new.environment,
        domains: new.domains.iter().map(ToString::to_string).collect(),
        created: date(engine.clock().now()),
        expires: new.expires_at.map(date),
        org_id: org_id.to_string(),
        path: format!("/orgs/{org}/keys/{}", created.id),
        terms: KeyTerms::of(engine.convention(), new.kind, new.environment),
    }
}

/// Reads the fields. What needs the convention or the database is left to [`create`].
pub(super) fn read(form: &NewKeyForm, now: Timestamp) -> Result<NewKey, Vec<FieldSentence>> {
    let mut errors = Errors::default();
    let name = errors.take("name", form.name.parse::<KeyName>());
    let kind = errors.take("kind", form.kind.parse::<Kind>());
    let environment = errors.take("environment", form.environment.parse::<Environment>());
    let domains = if kind == Some(Kind::Widget) {
        let known = errors.0.len();
        let domains = errors.domains("domains", &form.domains);
        if domains.is_empty() && errors.0.len() == known {
            errors.take("domains", Err::<(), _>(UnfitField::DomainsNeeded));
        }
        domains
    } else {
        Vec::new()
    };
    let ip_ranges = errors.ip_ranges(&form.ip_ranges);
    let scopes = errors.scopes(&form.scopes);
    let expires_at = errors.take("expires", expiry(&form.expires, &form.expires_on, now));
    let project = match form.project.as_str() {
        "" => None,
        // What cannot be an id names no project.
        id => errors.take(
            "project",
            id.parse::<ProjectId>()
                .map_err(|_| UnfitField::NoSuchProject),
        ),
    };
    match (name, kind, environment, scopes, expires_at) {
        (Some(name), Some(kind), Some(environment), Some(scopes), Some(expires_at))
            if errors.0.is_empty() =>
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
        _ => Err(errors.0),
    }
}
