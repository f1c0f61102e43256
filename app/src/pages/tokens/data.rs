//! The data of the page "Service tokens".

use latchkey::{
    keys::create::new_creation_token,
    service_tokens::{TokenScope, TokenSummary},
    time::Timestamp,
};

use super::whose::Whose;
use crate::{
    error::AppError, pages::confirm::used_lately, request::PageRequest, text::time::TimeText,
};

/// The maximum number of tokens on the page. It has all that work: an organization can have 100.
const MAX_ROWS: u16 = 200;

/// The service tokens of an organization or of the instance.
#[derive(Debug, Clone)]
pub struct TokenList {
    /// Those that work first, each newest first.
    pub rows: Vec<TokenRow>,
    /// Whether there can be more than the page shows.
    pub has_more: bool,
    /// The creation token of the form.
    pub creation_token: String,
    /// Whether they are for the whole instance.
    pub of_instance: bool,
}

#[derive(Debug, Clone)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub scope: TokenScope,
    pub display: String,
    pub status: &'static str,
    pub created: TimeText,
    pub expires: Option<TimeText>,
    pub last_used: Option<TimeText>,
    /// Whether it was used in the last 24 hours.
    pub is_in_use: bool,
}

/// Loads the tokens of the organization, for its owners.
pub async fn list(request: PageRequest) -> Result<TokenList, AppError> {
    let whose = Whose::org(&request).await?;
    list_of(&request, &whose).await
}

/// Loads the tokens for the whole instance, for its operators.
pub async fn list_of_instance(request: PageRequest) -> Result<TokenList, AppError> {
    let whose = Whose::instance(&request).await?;
    list_of(&request, &whose).await
}

async fn list_of(request: &PageRequest, whose: &Whose) -> Result<TokenList, AppError> {
    let engine = request.engine();
    let now = engine.clock().now();
    let tokens = whose.list(engine, MAX_ROWS).await?;
    Ok(TokenList {
        has_more: tokens.len() == usize::from(MAX_ROWS),
        rows: tokens.into_iter().map(|token| row(token, now)).collect(),
        creation_token: new_creation_token(engine)?,
        of_instance: whose.is_instance(),
    })
}

fn row(token: TokenSummary, now: Timestamp) -> TokenRow {
    TokenRow {
        status: token.status(now),
        is_in_use: used_lately(token.last_used_at, now),
        id: token.id.to_string(),
        name: token.name.to_string(),
        scope: token.scope,
        display: token.display,
        created: TimeText::date(token.created_at),
        expires: token.expires_at.map(TimeText::date),
        last_used: token.last_used_at.map(|at| TimeText::relative(at, now)),
    }
}

/// What a token can do, as a title.
pub const fn scope_title(scope: TokenScope) -> &'static str {
    match scope {
        TokenScope::Verify => "Verify keys",
        TokenScope::Manage => "Verify and manage",
    }
}
