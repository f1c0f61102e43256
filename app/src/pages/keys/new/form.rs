//! From the fields to a key.

use std::sync::Arc;

use latchkey::{
    access::{Permit, to},
    key::{Environment, Kind},
    keys::create::{
        CreateKeyError, CreatedKey as EngineCreatedKey, NewKey, create, sent_creation_token,
    },
    time::Timestamp,
};

use crate::{
    error::AppError,
    form::errors::FieldError,
    pages::{
        answer::FormAnswer,
        field_reader::{FieldReader, form_field},
        keys::{settings_form::read_new, shown_once::shown_again},
        page::finished,
    },
    request::PageRequest,
    shown_once::{CreatedKey, Held, KeyTerms},
    text::time::date,
    values::key_form::SettingsForm,
};

type Answer = Result<FormAnswer<SettingsForm, CreatedKey>, AppError>;

/// Creates a key. The answer is the page that shows it, the only one that ever does.
///
/// # Errors
/// When the person may not create keys, or something behind it does not work.
pub async fn submit(request: PageRequest, form: SettingsForm) -> Answer {
    let permit: Permit<to::CreateKeys> = request.permit().await?;
    let new = match read(&form, request.engine().clock().now()) {
        Ok(new) => new,
        Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
    };
    // Whatever becomes of the client: the key is held for the repeat of its submit.
    finished(tokio::spawn(create_and_hold(request, permit, form, new))).await
}

async fn create_and_hold(
    request: PageRequest,
    permit: Permit<to::CreateKeys>,
    form: SettingsForm,
    new: NewKey,
) -> Answer {
    let mut held = request.held_key().await;
    match create(request.engine(), &permit, new.clone()).await {
        Ok(created) => {
            let position = created.position;
            let key = shown_key(&request, &permit, &new, created);
            let now = request.engine().clock().monotonic();
            *held = Some(Held::new(&form, key.clone(), position, now));
            Ok(FormAnswer::Shown(key))
        }
        Err(CreateKeyError::AlreadyCreated(id)) => {
            shown_again(&request, held.as_ref(), &form, id).await
        }
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

fn shown_key(
    request: &PageRequest,
    permit: &Permit<to::CreateKeys>,
    new: &NewKey,
    created: EngineCreatedKey,
) -> CreatedKey {
    let engine = request.engine();
    CreatedKey {
        key: Arc::new(created.plain),
        name: new.settings.name.to_string(),
        kind: new.kind,
        environment: new.environment,
        domains: new
            .settings
            .domains
            .iter()
            .map(ToString::to_string)
            .collect(),
        created: date(engine.clock().now()),
        expires: new.settings.expires_at.map(date),
        org_id: permit.org_id().to_string(),
        path: format!("/orgs/{}/keys/{}", request.org(), created.id),
        is_rotated: false,
        terms: KeyTerms::of(engine.convention(), new.kind, new.environment),
    }
}

/// Reads the fields. What needs the convention or the database is left to [`create`].
pub(super) fn read(form: &SettingsForm, now: Timestamp) -> Result<NewKey, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let kind = form.kind.parse::<Kind>();
    let settings = read_new(form, kind.as_ref().ok().copied(), &mut fields, now);
    let kind = fields.take("kind", kind);
    let environment = fields.take("environment", form.environment.parse::<Environment>());
    match (kind, environment, settings) {
        (Some(kind), Some(environment), Some(settings)) if fields.errors.is_empty() => Ok(NewKey {
            kind,
            environment,
            settings,
            creation_token: sent_creation_token(&form.creation_token),
        }),
        _ => Err(fields.errors),
    }
}
