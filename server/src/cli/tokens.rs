//! `latchkey token`: the operator's service tokens.

use clap::Args;
use latchkey::{
    access::Operator,
    clock::Clock,
    id::ServiceTokenId,
    name::DisplayName,
    service_tokens::{self, RevokeTokenError, TokenScope, TokenSummary},
    time::{DAY, Rfc3339, Timestamp},
};
use serde::Serialize;

use super::{error::CliError, flags::days, pepper::when_known};
use crate::{settings::Settings, start};

/// The flags of `token create`.
#[derive(Debug, Args)]
pub struct NewToken {
    /// A name that describes what the token is for.
    #[arg(long)]
    name: DisplayName,
    /// The scope: verify or manage.
    #[arg(long)]
    scope: TokenScope,
    /// The number of days after which the token expires [default: never].
    #[arg(long, value_parser = days)]
    expires_in_days: Option<u32>,
}

/// The flags of `token list`.
#[derive(Debug, Args)]
pub struct ListTokens {
    /// Print the tokens as a JSON array.
    #[arg(long)]
    json: bool,
}

/// The flags of `token revoke`.
#[derive(Debug, Args)]
pub struct RevokeToken {
    /// The ID of the token, as shown by `token list`.
    id: ServiceTokenId,
}

#[derive(Serialize)]
struct TokenObject<'a> {
    id: ServiceTokenId,
    name: &'a str,
    scope: TokenScope,
    /// Tokens of one organization do not exist yet.
    org: Option<&'a str>,
    created_at: Rfc3339,
    expires_at: Option<Rfc3339>,
    last_used_at: Option<Rfc3339>,
    status: &'a str,
}

/// Creates a service token and prints it.
pub async fn create(settings: &Settings, new: NewToken) -> Result<(), CliError> {
    let engine = start::engine(settings).await?;
    let operator = Operator::at_the_command_line();
    let now = engine.clock().now();
    let expires_at = new
        .expires_in_days
        .map(|days| now.plus(i64::from(days) * DAY));
    let created =
        service_tokens::create(&engine, &operator, &new.name, new.scope, expires_at).await;
    let token =
        created.map_err(|error| CliError::Failed("the token was not created", error.into()))?;
    println!("{}", token.expose());
    eprintln!(
        "Created the service token {} with the scope {}. It is not shown again. {}",
        new.name,
        new.scope,
        when_known(&engine).await
    );
    engine.db().close().await;
    Ok(())
}

/// Prints every service token: a line of names, then one line for each, with tabs between the columns.
pub async fn list(settings: &Settings, flags: ListTokens) -> Result<(), CliError> {
    let db = start::database(settings).await?;
    let operator = Operator::at_the_command_line();
    let failed = |error| CliError::Failed("the tokens could not be listed", error);
    let tokens = service_tokens::list(&db, &operator).await;
    let tokens = tokens.map_err(|error| failed(error.into()))?;
    let now = Clock::System.now();
    if flags.json {
        let objects: Vec<TokenObject<'_>> = tokens.iter().map(|token| object(token, now)).collect();
        let json = serde_json::to_string_pretty(&objects).map_err(|error| failed(error.into()))?;
        println!("{json}");
    } else {
        println!("ID\tNAME\tSCOPE\tORG\tCREATED\tEXPIRES\tLAST_USED\tSTATUS");
        for token in &tokens {
            println!(
                "{}\t{}\t{}\t-\t{}\t{}\t{}\t{}",
                token.id,
                token.name,
                token.scope,
                shown(Some(token.created_at)),
                shown(token.expires_at),
                shown(token.last_used_at),
                token.status(now)
            );
        }
    }
    db.close().await;
    Ok(())
}

/// Revokes a service token.
pub async fn revoke(settings: &Settings, flags: RevokeToken) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let revoked = service_tokens::revoke(&engine, &operator, flags.id).await;
    engine.db().close().await;
    match revoked {
        Ok(()) => eprintln!("Revoked. A running Latchkey rejects the token within a second."),
        // What was asked for holds, so that a script may ask twice.
        Err(RevokeTokenError::AlreadyRevoked(at)) => {
            eprintln!("This token was already revoked, at {}.", shown(Some(at)));
        }
        Err(error @ RevokeTokenError::NotFound) => {
            return Err(CliError::BadInput(format!(
                "{error} To see all tokens, run `latchkey token list`."
            )));
        }
        Err(RevokeTokenError::Fault(fault)) => {
            return Err(CliError::Failed("the token was not revoked", fault.into()));
        }
    }
    Ok(())
}

fn object(token: &TokenSummary, now: Timestamp) -> TokenObject<'_> {
    TokenObject {
        id: token.id,
        name: token.name.as_str(),
        scope: token.scope,
        org: None,
        created_at: token.created_at.rfc3339(),
        expires_at: token.expires_at.map(Timestamp::rfc3339),
        last_used_at: token.last_used_at.map(Timestamp::rfc3339),
        status: token.status(now),
    }
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| format!("{:.0}Z", at.utc()))
}
