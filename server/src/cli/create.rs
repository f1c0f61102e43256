//! Orgs, people and service tokens without the pages.

use std::io::Read as _;

use clap::Args;
use latchkey::{
    Engine,
    access::{Operator, Org},
    accounts::{
        create_user::{CreateUserError, create_user},
        password::NewPassword,
    },
    email::EmailAddress,
    name::{DisplayName, Slug},
    orgs::{self, CreateOrgError},
    role::Role,
    service_tokens::{self, TokenScope},
};

use super::CliError;
use crate::{settings::Settings, start};

/// The flags of `org create`.
#[derive(Debug, Args)]
pub struct NewOrg {
    /// Its name.
    #[arg(long)]
    name: DisplayName,
    /// Its name in addresses.
    #[arg(long)]
    slug: Slug,
}

/// The flags of `user create`.
#[derive(Debug, Args)]
pub struct NewUser {
    /// The address that they sign in with.
    #[arg(long)]
    email: EmailAddress,
    /// Their name [default: what stands before the @].
    #[arg(long)]
    name: Option<DisplayName>,
    /// The slug of their organization.
    #[arg(long)]
    org: Slug,
    /// What they may do there: owner, admin or member.
    #[arg(long)]
    role: Role,
    /// Read the password from standard input, up to the first line end.
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// The flags of `token create`.
#[derive(Debug, Args)]
pub struct NewToken {
    /// What it is for, for people.
    #[arg(long)]
    name: DisplayName,
    /// What it may be used for: verify or manage.
    #[arg(long)]
    scope: TokenScope,
}

/// Makes an org and prints its slug.
pub async fn org(settings: &Settings, new: NewOrg) -> Result<(), CliError> {
    let engine = start::engine(settings).await?;
    let made = orgs::create(
        &engine,
        &Operator::at_the_command_line(),
        &new.name,
        &new.slug,
    )
    .await;
    let org = made.map_err(|error| match error {
        CreateOrgError::SlugTaken(_) => CliError::BadInput(error.to_string()),
        error => CliError::Failed("the organization was not made", error.into()),
    })?;
    println!("{}", org.slug);
    eprintln!("Made the organization {} ({}).", org.name, org.id);
    engine.db().close().await;
    Ok(())
}

/// Makes an account in an org and prints its id.
pub async fn user(settings: &Settings, new: NewUser) -> Result<(), CliError> {
    let password = read_password()?;
    let local_part = new.email.as_str().split('@').next().unwrap_or_default();
    let name = match new.name {
        Some(name) => name,
        None => local_part
            .parse()
            .map_err(|error| CliError::BadInput(format!("--name: {error}")))?,
    };
    let engine = start::engine(settings).await?;
    let operator = Operator::at_the_command_line();
    let org = find_org(&engine, &new.org).await?;
    let made = create_user(
        &engine, &operator, &org, &name, &new.email, new.role, password,
    )
    .await;
    let id = made.map_err(|error| match error {
        CreateUserError::EmailTaken(_) => CliError::BadInput(error.to_string()),
        error => CliError::Failed("the account was not made", error.into()),
    })?;
    println!("{id}");
    eprintln!(
        "Made an account for {name} ({}), {} of {}.",
        new.email, new.role, org.name
    );
    engine.db().close().await;
    Ok(())
}

/// Makes a service token and prints it.
pub async fn token(settings: &Settings, new: NewToken) -> Result<(), CliError> {
    let engine = start::engine(settings).await?;
    let made = service_tokens::create(
        &engine,
        &Operator::at_the_command_line(),
        &new.name,
        new.scope,
    )
    .await;
    let token = made.map_err(|error| CliError::Failed("the token was not made", error.into()))?;
    println!("{}", token.expose());
    eprintln!(
        "Made the service token {} with the scope {}. It is not shown again.",
        new.name, new.scope
    );
    engine.db().close().await;
    Ok(())
}

/// The org with this slug.
pub(super) async fn find_org(engine: &Engine, slug: &Slug) -> Result<Org, CliError> {
    let found = orgs::find(engine, &Operator::at_the_command_line(), slug).await;
    found
        .map_err(|error| CliError::Failed("the organization could not be looked up", error.into()))?
        .ok_or_else(|| {
            CliError::BadInput(format!(
                "There is no organization `{slug}`. Make it with `latchkey org create`."
            ))
        })
}

fn read_password() -> Result<NewPassword, CliError> {
    let mut text = String::new();
    let read = std::io::stdin()
        .lock()
        .take(10_000)
        .read_to_string(&mut text);
    read.map_err(|error| {
        CliError::BadInput(format!(
            "The password could not be read from standard input: {error}."
        ))
    })?;
    let line = text.lines().next().unwrap_or_default();
    line.parse::<NewPassword>()
        .map_err(|error| CliError::BadInput(error.to_string()))
}
