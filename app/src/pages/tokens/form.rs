//! Creating and revoking service tokens.

use std::sync::Arc;

use latchkey::{
    accounts,
    event::Target,
    id::ServiceTokenId,
    key::{Environment, Kind},
    keys::create::sent_creation_token,
    name::DisplayName,
    service_tokens::{CreateTokenError, NewToken, RevokeTokenError, TokenScope},
    time::DAY,
};
use serde::{Deserialize, Serialize};

use super::whose::Whose;
use crate::{
    error::AppError,
    form::{
        errors::{FieldError, WHOLE_FORM},
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        confirm::{confirm, missing_password, used_lately},
        done::Done,
        field_reader::FieldReader,
        keys::show::is_typed,
        loading::finished,
    },
    request::PageRequest,
    shown_once::{CreatedToken, Held, Of, Secret, hold},
    text::time::date,
};

/// The lifetimes that the form offers, in days.
pub const LIFETIMES: [u32; 4] = [30, 90, 180, 365];

/// The fields of the page's forms.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct TokenForm {
    /// `create` or `revoke`.
    pub change: String,
    /// The ID of the token to revoke.
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub creation_token: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub scope: String,
    /// The lifetime in days.
    #[serde(default)]
    pub expires: String,
    /// The token's name, to confirm that a token in use is revoked.
    #[serde(default)]
    pub confirm: String,
    /// The user's password.
    #[serde(default)]
    pub password: String,
}

impl TokenForm {
    /// The form to render again. Never contains the password.
    fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            token: sent_back(&self.token, MAX_NAME),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
            name: sent_back(&self.name, MAX_NAME),
            scope: sent_back(&self.scope, MAX_NAME),
            expires: sent_back(&self.expires, MAX_NAME),
            confirm: sent_back(&self.confirm, MAX_NAME),
            password: String::new(),
        }
    }
}

type Answer = Result<FormAnswer<TokenForm, CreatedToken>, AppError>;

/// Handles the forms of an organization's page.
pub async fn submit(request: PageRequest, form: TokenForm) -> Answer {
    let whose = Whose::org(&request).await?;
    handle(request, whose, form).await
}

/// Handles the forms of the instance's page.
pub async fn submit_of_instance(request: PageRequest, form: TokenForm) -> Answer {
    let whose = Whose::instance(&request).await?;
    handle(request, whose, form).await
}

async fn handle(request: PageRequest, whose: Whose, form: TokenForm) -> Answer {
    match form.change.as_str() {
        "create" => create(request, whose, form).await,
        "revoke" => revoke(&request, &whose, &form).await,
        _ => Err(AppError::Unreadable),
    }
}

async fn create(request: PageRequest, whose: Whose, form: TokenForm) -> Answer {
    let new = match read(&request, &form) {
        Ok(new) => new,
        Err(mut errors) => {
            errors.extend(missing_password(&form.password));
            return Ok(FormAnswer::refused_fields(form.sent_back(), errors));
        }
    };
    if let Err(answer) = confirm(&request, &form.password, || form.sent_back()).await {
        return answer;
    }
    // A hang-up must not lose the token between its creation and the slot that keeps it for a repeated submit.
    finished(tokio::spawn(create_and_hold(request, whose, form, new))).await
}

async fn create_and_hold(
    request: PageRequest,
    whose: Whose,
    form: TokenForm,
    new: NewToken,
) -> Answer {
    let engine = request.engine();
    // Before the token is created: nothing that can fail may come between its creation and the response.
    let creator = accounts::find_user(engine, request.user_id().await?).await?;
    let creator = creator.map(|user| user.name.to_string());
    let mut held = request.held_key().await;
    let now = engine.clock().monotonic();
    let id = match whose.create(engine, new.clone()).await {
        Ok(created) => {
            let convention = engine.convention();
            let variable = convention.environment_variable(Kind::Secret, Environment::Live);
            let token = CreatedToken {
                id: created.id,
                token: Arc::new(created.plain),
                name: new.name.to_string(),
                scope: new.scope,
                created: date(engine.clock().now()),
                created_by: creator,
                expires: new.expires_at.map_or_else(|| "never".to_owned(), date),
                path: request.path().to_owned(),
                of_instance: whose.is_instance(),
                variable: variable.to_owned(),
                addresses: Arc::clone(request.addresses()),
            };
            let secret = Secret::Token(token.clone());
            let of = Of {
                target: Some(Target::Token(created.id)),
                org_id: whose.org_id(),
                position: created.position,
            };
            hold(&mut held, Held::new(&form, secret, of, now));
            return Ok(FormAnswer::Shown(token));
        }
        Err(CreateTokenError::AlreadyCreated(id)) => id,
        Err(error @ CreateTokenError::TooMany) => {
            return Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error));
        }
        Err(CreateTokenError::Fault(fault)) => return Err(fault.into()),
    };
    let again = held.as_ref().filter(|held| held.answers(&form, now));
    let again = again.and_then(|held| match &held.secret {
        Secret::Token(token) if token.id == id => Some(token.clone()),
        _ => None,
    });
    let found = whose.find(engine, id).await?;
    let works = found.is_some_and(|token| token.revoked_at.is_none());
    Ok(match again.filter(|_| works) {
        Some(token) => FormAnswer::Shown(token),
        None => FormAnswer::done(request.path(), Done::TokenShownBefore),
    })
}

fn read(request: &PageRequest, form: &TokenForm) -> Result<NewToken, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let name = fields.take("name", form.name.parse::<DisplayName>());
    let scope = fields.take(
        "scope",
        form.scope
            .parse::<TokenScope>()
            .map_err(|_| "Choose what the token can do."),
    );
    let days = form.expires.parse().ok();
    let days = fields.take(
        "expires",
        days.filter(|days| LIFETIMES.contains(days))
            .ok_or("Choose when the token expires."),
    );
    match (name, scope, days) {
        (Some(name), Some(scope), Some(days)) => Ok(NewToken {
            name,
            scope,
            expires_at: Some(request.engine().clock().now().plus(i64::from(days) * DAY)),
            creation_token: sent_creation_token(&form.creation_token),
        }),
        _ => Err(fields.errors),
    }
}

async fn revoke(request: &PageRequest, whose: &Whose, form: &TokenForm) -> Answer {
    let id: ServiceTokenId = form.token.parse().map_err(|_| AppError::NotFound)?;
    let engine = request.engine();
    let now = engine.clock().now();
    let in_use = whose
        .find(engine, id)
        .await?
        .filter(|token| token.status(now) == "active" && used_lately(token.last_used_at, now));
    if let Some(token) = in_use
        && !is_typed(&form.confirm, token.name.as_str())
    {
        let sentence = format!(
            "This token was used in the last 24 hours. Enter its name, {}, to revoke it.",
            token.name
        );
        return Ok(FormAnswer::refused(form.sent_back(), "confirm", sentence));
    }
    // Without a token for the whole instance, nobody's keys are verified.
    if whose.is_instance()
        && let Err(answer) = confirm(request, &form.password, || form.sent_back()).await
    {
        return answer;
    }
    match whose.revoke(request.engine(), id).await {
        Ok(()) | Err(RevokeTokenError::AlreadyRevoked(_)) => {
            Ok(FormAnswer::done(request.path(), Done::TokenRevoked))
        }
        Err(RevokeTokenError::NotFound) => Err(AppError::NotFound),
        Err(RevokeTokenError::Fault(fault)) => Err(fault.into()),
    }
}
