//! `latchkey token`: manages service tokens, of the whole instance and of organizations.

use clap::Args;
use latchkey::{
    access::Operator,
    clock::Clock,
    id::ServiceTokenId,
    name::{DisplayName, Slug},
    service_tokens::{self, CreateTokenError, RevokeTokenError, TokenScope, TokenSummary},
    time::{DAY, Rfc3339, Timestamp},
};
use serde::Serialize;

use super::{error::CliError, flags::days, orgs::find_org, pepper::when_known};
use crate::{rest::tokens::DEFAULT_DAYS, settings::Settings, start};

#[derive(Debug, Args)]
pub struct NewToken {
    /// A name that describes what the token is for.
    #[arg(long)]
    name: DisplayName,
    /// The scope: verify or manage.
    #[arg(long)]
    scope: TokenScope,
    /// The slug of the organization that the token can access [default: the whole instance].
    #[arg(long)]
    org: Option<Slug>,
    /// The number of days after which the token expires [default: 365 with --org, otherwise never].
    #[arg(long, value_parser = days)]
    expires_in_days: Option<u32>,
}

#[derive(Debug, Args)]
pub struct ListTokens {
    /// Print the tokens as a JSON array.
    #[arg(long)]
    json: bool,
}

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
    /// The slug of the organization that the token can access; null for the whole instance.
    org: Option<&'a str>,
    created_at: Rfc3339,
    expires_at: Option<Rfc3339>,
    last_used_at: Option<Rfc3339>,
    status: &'a str,
}

pub async fn create(settings: &Settings, new: NewToken) -> Result<(), CliError> {
    let engine = start::engine(settings).await?;
    let operator = Operator::at_the_command_line();
    let now = engine.clock().now();
    let default_days = new.org.as_ref().map(|_| DEFAULT_DAYS);
    let days = new.expires_in_days.or(default_days);
    let org = match &new.org {
        Some(slug) => Some(find_org(&engine, slug).await?),
        None => None,
    };
    let token = service_tokens::NewToken {
        name: new.name.clone(),
        scope: new.scope,
        expires_at: days.map(|days| now.plus(i64::from(days) * DAY)),
        creation_token: None,
    };
    let created = match &org {
        Some(org) => service_tokens::create_for_org(&engine, &operator.permit(org), token).await,
        None => service_tokens::create_for_instance(&engine, &operator, token).await,
    };
    let token = created.map_err(|error| match error {
        CreateTokenError::Fault(fault) => {
            CliError::Failed("the token was not created", fault.into())
        }
        error => CliError::BadInput(error.to_string()),
    })?;
    println!("{}", token.plain.expose());
    eprintln!(
        "Created the service token {} with the scope {} for {}. It is not shown again. {}",
        new.name,
        new.scope,
        org.map_or("the whole instance".to_owned(), |org| org.name.to_string()),
        when_known(&engine).await
    );
    engine.db().close().await;
    Ok(())
}

/// Prints a header line and a line for each service token, with columns separated by tabs.
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
                "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                token.id,
                token.name,
                token.scope,
                token.org.as_ref().map_or("-", Slug::as_str),
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

pub async fn revoke(settings: &Settings, flags: RevokeToken) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let revoked = service_tokens::revoke(&engine, &operator, flags.id).await;
    engine.db().close().await;
    match revoked {
        Ok(()) => eprintln!("Revoked. A running Latchkey rejects the token within a second."),
        // The token is revoked, as requested, so repeating the command is not an error.
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
        org: token.org.as_ref().map(Slug::as_str),
        created_at: token.created_at.rfc3339(),
        expires_at: token.expires_at.map(Timestamp::rfc3339),
        last_used_at: token.last_used_at.map(Timestamp::rfc3339),
        status: token.status(now),
    }
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| format!("{:.0}Z", at.utc()))
}
