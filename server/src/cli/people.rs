//! `latchkey user`: people without the pages.

use clap::Args;
use latchkey::{
    Engine,
    access::Operator,
    accounts::{
        create_user::{CreateUserError, create_user},
        lifecycle::{self, LifecycleError},
        password,
    },
    email::EmailAddress,
    id::UserId,
    name::{DisplayName, Slug},
    role::Role,
};

use super::{
    CliError,
    orgs::{find_org, read_password},
};
use crate::{settings::Settings, start};

/// The flags of `user create`.
#[derive(Debug, Args)]
pub struct NewUser {
    /// The address that they sign in with.
    #[arg(long)]
    email: EmailAddress,
    /// Their name [default: what is before the @].
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

/// The flags of `user disable` and `user enable`.
#[derive(Debug, Args)]
pub struct Account {
    /// The address of the account.
    #[arg(long)]
    email: EmailAddress,
}

/// The flags of `user reset-password`.
#[derive(Debug, Args)]
pub struct ResetPassword {
    /// The address of the account.
    #[arg(long)]
    email: EmailAddress,
    /// Read the new password from standard input, up to the first line end.
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// Creates an account in an org and prints its id.
pub async fn create(settings: &Settings, new: NewUser) -> Result<(), CliError> {
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
    let created = create_user(
        &engine, &operator, &org, &name, &new.email, new.role, password,
    )
    .await;
    let id = created.map_err(|error| match error {
        CreateUserError::EmailTaken(_) => CliError::BadInput(error.to_string()),
        error => CliError::Failed("the account was not created", error.into()),
    })?;
    println!("{id}");
    eprintln!(
        "Created an account for {name} ({}), {} of {}.",
        new.email, new.role, org.name
    );
    engine.db().close().await;
    Ok(())
}

/// Disables an account.
pub async fn disable(settings: &Settings, account: Account) -> Result<(), CliError> {
    let engine = start::engine(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(&engine, &account.email).await?;
    let disabled = lifecycle::disable(&engine, &operator, user_id).await;
    disabled.map_err(|error| CliError::Failed("the account was not disabled", error.into()))?;
    eprintln!(
        "Disabled. {} is signed out and cannot sign in.",
        account.email
    );
    close(&engine).await
}

/// Enables a disabled account.
pub async fn enable(settings: &Settings, account: Account) -> Result<(), CliError> {
    let engine = start::engine(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(&engine, &account.email).await?;
    let enabled = lifecycle::enable(&engine, &operator, user_id).await;
    enabled.map_err(|error| CliError::Failed("the account was not enabled", error.into()))?;
    eprintln!("Enabled. {} can sign in again.", account.email);
    engine.db().close().await;
    Ok(())
}

/// Sets a new password and signs the person out everywhere.
pub async fn reset_password(settings: &Settings, reset: ResetPassword) -> Result<(), CliError> {
    let password = read_password()?;
    let engine = start::engine(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(&engine, &reset.email).await?;
    let done = password::reset(&engine, &operator, user_id, password).await;
    done.map_err(|error| CliError::Failed("the password was not reset", error.into()))?;
    eprintln!(
        "The password of {} is reset, and every session of theirs has ended.",
        reset.email
    );
    close(&engine).await
}

/// Writes that sessions ended, and closes the database.
async fn close(engine: &Engine) -> Result<(), CliError> {
    let logged = engine.finish().await;
    engine.db().close().await;
    logged.map_err(|error| {
        CliError::Failed("this was done, but is not in the audit log", error.into())
    })
}

async fn find(engine: &Engine, email: &EmailAddress) -> Result<UserId, CliError> {
    let found = lifecycle::find(engine, &Operator::at_the_command_line(), email).await;
    found.map_err(|error| match error {
        LifecycleError::NotFound(_) => CliError::BadInput(error.to_string()),
        LifecycleError::Storage(_) => {
            CliError::Failed("the account could not be looked up", error.into())
        }
    })
}
