//! `latchkey user`: manages users on the command line.

use clap::Args;
use latchkey::{
    Engine,
    access::Operator,
    accounts::{
        create_user::{self, CreateUserError, create_user},
        lifecycle::{self, LifecycleError},
        password,
    },
    db::Db,
    email::EmailAddress,
    id::UserId,
    name::{DisplayName, Slug},
    operators::{MarkError, mark, unmark},
    role::Role,
};

use super::{
    error::CliError,
    orgs::{find_org, read_password},
};
use crate::{settings::Settings, start};

#[derive(Debug, Args)]
pub struct NewUser {
    /// The e-mail address of the user.
    #[arg(long)]
    email: EmailAddress,
    /// The name of the user [default: the part of the e-mail address before the @].
    #[arg(long)]
    name: Option<DisplayName>,
    /// The slug of the organization.
    #[arg(long)]
    org: Slug,
    /// The role in the organization: owner, admin or member.
    #[arg(long)]
    role: Role,
    /// Make the user an operator of the instance.
    #[arg(long)]
    operator: bool,
    /// Read the password from the first line of standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct OperatorMark {
    /// The e-mail address of the account.
    email: EmailAddress,
    /// The user is an operator no longer.
    #[arg(long)]
    remove: bool,
}

/// The flags of `user disable` and `user enable`.
#[derive(Debug, Args)]
pub struct Account {
    /// The e-mail address of the account.
    #[arg(long)]
    email: EmailAddress,
}

#[derive(Debug, Args)]
pub struct ResetPassword {
    /// The e-mail address of the account.
    #[arg(long)]
    email: EmailAddress,
    /// Read the new password from the first line of standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// Creates an account in an organization and prints its ID.
pub async fn create(settings: &Settings, new: NewUser) -> Result<(), CliError> {
    let password = read_password()?;
    let local_part = new.email.as_str().split('@').next().unwrap_or_default();
    let name = match new.name {
        Some(name) => name,
        None => local_part
            .parse()
            .map_err(|error| CliError::BadInput(format!("--name: {error}")))?,
    };
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let org = find_org(&engine, &new.org).await?;
    let user = create_user::NewUser {
        name: name.clone(),
        email: new.email.clone(),
        role: new.role,
        password,
        is_operator: new.operator,
    };
    let created = create_user(&engine, &operator, &org, user).await;
    let id = created.map_err(|error| match error {
        CreateUserError::EmailTaken(_) => CliError::BadInput(error.to_string()),
        CreateUserError::Limit(reached) => CliError::Refused(reached.to_string()),
        error => CliError::Failed("the account was not created", error.into()),
    })?;
    println!("{id}");
    eprintln!(
        "Created an account for {name} ({}), {} of {}{}.",
        new.email,
        new.role,
        org.name,
        if new.operator {
            " and operator of the instance"
        } else {
            ""
        }
    );
    engine.db().close().await;
    Ok(())
}

/// Makes a user an operator, or no longer.
pub async fn mark_operator(settings: &Settings, new: OperatorMark) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &new.email).await?;
    let done = if new.remove {
        unmark(&engine, &operator, user_id).await
    } else {
        mark(&engine, &operator, user_id).await
    };
    engine.db().close().await;
    match done {
        Ok(()) if new.remove => eprintln!("{} is no longer an operator.", new.email),
        Ok(()) => eprintln!(
            "{} is now an operator, in all sessions from the next page on.",
            new.email
        ),
        // The user is what was requested, so repeating the command is not an error.
        Err(error @ MarkError::Unchanged { .. }) => eprintln!("{error}"),
        Err(error @ MarkError::NotFound) => return Err(CliError::BadInput(error.to_string())),
        Err(MarkError::Fault(fault)) => {
            return Err(CliError::Failed("the user was not changed", fault.into()));
        }
    }
    Ok(())
}

pub async fn disable(settings: &Settings, account: Account) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &account.email).await?;
    let disabled = lifecycle::disable(&engine, &operator, user_id).await;
    disabled.map_err(|error| CliError::Failed("the account was not disabled", error.into()))?;
    eprintln!(
        "Disabled. {} is signed out and cannot sign in.",
        account.email
    );
    close(&engine).await
}

pub async fn enable(settings: &Settings, account: Account) -> Result<(), CliError> {
    let db = start::database(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(&db, &account.email).await?;
    let enabled = lifecycle::enable(&db, &operator, user_id).await;
    enabled.map_err(|error| CliError::Failed("the account was not enabled", error.into()))?;
    eprintln!("Enabled. {} can sign in again.", account.email);
    db.close().await;
    Ok(())
}

/// Sets a new password and signs the user out everywhere.
pub async fn reset_password(settings: &Settings, reset: ResetPassword) -> Result<(), CliError> {
    let password = read_password()?;
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &reset.email).await?;
    let done = password::reset(&engine, &operator, user_id, password).await;
    done.map_err(|error| CliError::Failed("the password was not reset", error.into()))?;
    eprintln!(
        "The password of {} was reset. All of their sessions have ended.",
        reset.email
    );
    close(&engine).await
}

/// Writes the ended sessions to the audit log, and closes the database.
async fn close(engine: &Engine) -> Result<(), CliError> {
    let logged = engine.finish().await;
    engine.db().close().await;
    logged.map_err(|error| {
        CliError::Failed(
            "the change was made, but is not in the audit log",
            error.into(),
        )
    })
}

async fn find(db: &Db, email: &EmailAddress) -> Result<UserId, CliError> {
    let found = lifecycle::find(db, &Operator::at_the_command_line(), email).await;
    found.map_err(|error| match error {
        LifecycleError::NotFound(_) => CliError::BadInput(error.to_string()),
        LifecycleError::Fault(fault) => {
            CliError::Failed("the account could not be loaded", fault.into())
        }
    })
}
