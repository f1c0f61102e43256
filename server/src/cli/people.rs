//! `latchkey user`: manages users on the command line.

use clap::Args;
use latchkey::{
    Engine,
    access::Operator,
    accounts::{
        address::{ChangeAddressError, change_as_operator},
        create_user::{self, CreateUserError, create_user},
        lifecycle::{self, LifecycleError},
        password,
        reset::create_link,
        second_factor,
    },
    db::Db,
    email::EmailAddress,
    id::UserId,
    name::{DisplayName, Slug},
    operators::{MarkError, has_another, mark, people, unmark},
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
    #[arg(value_parser = EmailAddress::of_account)]
    email: EmailAddress,
    /// The user is an operator no longer.
    #[arg(long)]
    remove: bool,
}

/// The flags of `user disable` and `user enable`.
#[derive(Debug, Args)]
pub struct Account {
    /// The e-mail address of the account.
    #[arg(long, value_parser = EmailAddress::of_account)]
    email: EmailAddress,
}

#[derive(Debug, Args)]
pub struct ResetPassword {
    /// The e-mail address of the account.
    #[arg(required_unless_present = "email_flag", conflicts_with = "email_flag", value_parser = EmailAddress::of_account)]
    email: Option<EmailAddress>,
    /// The e-mail address of the account.
    #[arg(long = "email", id = "email_flag", value_name = "EMAIL", value_parser = EmailAddress::of_account)]
    email_flag: Option<EmailAddress>,
    /// Set a new password, the first line of standard input, and sign the user out everywhere. Otherwise, print a link with
    /// which the user chooses one.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct ChangeEmail {
    /// The e-mail address of the account.
    #[arg(long, value_parser = EmailAddress::of_account)]
    email: EmailAddress,
    /// The new address.
    #[arg(long)]
    to: EmailAddress,
}

#[derive(Debug, Args)]
pub struct ResetSecondFactor {
    /// The e-mail address of the account.
    #[arg(value_parser = EmailAddress::of_account)]
    email: EmailAddress,
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
    let nobody_is_left = done.is_ok() && new.remove && without_operator(&engine, user_id).await?;
    engine.db().close().await;
    match done {
        Ok(()) if new.remove => {
            eprintln!("{} is no longer an operator.", new.email);
            if nobody_is_left {
                eprintln!("{NO_OPERATOR}");
            }
        }
        Ok(()) => eprintln!(
            "{} is now an operator, in all sessions from the next page on.",
            new.email
        ),
        // The user is what was requested, so repeating the command is not an error.
        Err(error @ MarkError::Unchanged { .. }) => eprintln!("{error}"),
        Err(error @ MarkError::NotFound) => return Err(CliError::BadInput(error.to_string())),
        Err(error @ MarkError::Last(_)) => return Err(CliError::Refused(error.to_string())),
        Err(MarkError::Fault(fault)) => {
            return Err(CliError::Failed("the user was not changed", fault.into()));
        }
    }
    Ok(())
}

/// What follows if nobody is left who could make someone an operator in the pages.
const NO_OPERATOR: &str = "Nobody is an operator of this instance now: nobody can open the Instance area until you make someone \
     an operator with `latchkey user operator EMAIL`.";

/// Whether no operator can sign in, now that this user is none.
async fn without_operator(engine: &Engine, user_id: UserId) -> Result<bool, CliError> {
    let has_another = has_another(engine, user_id).await;
    let has_another = has_another.map_err(|error| {
        CliError::Failed("the other operators could not be loaded", error.into())
    })?;
    Ok(!has_another)
}

pub async fn disable(settings: &Settings, account: Account) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &account.email).await?;
    let person = people::find(&engine, &operator, user_id).await;
    let person =
        person.map_err(|error| CliError::Failed("the account was not disabled", error.into()))?;
    let was_operator = person.is_some_and(|person| person.operator_since.is_some());
    match lifecycle::disable(&engine, &operator, user_id).await {
        Ok(()) => {}
        Err(error @ (LifecycleError::NotFound(_) | LifecycleError::LastOperator(_))) => {
            return Err(CliError::Refused(error.to_string()));
        }
        Err(LifecycleError::Fault(fault)) => {
            return Err(CliError::Failed(
                "the account was not disabled",
                fault.into(),
            ));
        }
    }
    eprintln!(
        "Disabled. {} is signed out and cannot sign in.",
        account.email
    );
    if was_operator && without_operator(&engine, user_id).await? {
        eprintln!("{NO_OPERATOR}");
    }
    close(&engine).await
}

pub async fn enable(settings: &Settings, account: Account) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &account.email).await?;
    let enabled = lifecycle::enable(&engine, &operator, user_id).await;
    enabled.map_err(|error| CliError::Failed("the account was not enabled", error.into()))?;
    eprintln!("Enabled. {} can sign in again.", account.email);
    close(&engine).await
}

/// Sets a new password and signs the user out everywhere, or prints a link with which the user chooses one.
pub async fn reset_password(settings: &Settings, reset: ResetPassword) -> Result<(), CliError> {
    let Some(email) = reset.email.or(reset.email_flag) else {
        return Err(CliError::BadInput("EMAIL is required".to_owned()));
    };
    if !reset.password_stdin {
        return print_reset_link(settings, &email).await;
    }
    let password = read_password()?;
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &email).await?;
    let done = password::reset(&engine, &operator, user_id, password).await;
    done.map_err(|error| CliError::Failed("the password was not reset", error.into()))?;
    eprintln!("The password of {email} was reset. All of their sessions have ended.");
    close(&engine).await
}

async fn print_reset_link(settings: &Settings, email: &EmailAddress) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let user_id = find(engine.db(), email).await?;
    let token = create_link(&engine, &Operator::at_the_command_line(), user_id).await;
    let token = token.map_err(|error| CliError::Failed("no link was created", error.into()))?;
    let Some(token) = token else {
        engine.db().close().await;
        return Err(CliError::Refused(format!(
            "The account of {email} is disabled. Run `latchkey user enable` first"
        )));
    };
    let public_url = settings.public_url(settings.listen.port());
    println!("{public_url}/reset-password/{}", token.expose());
    eprintln!("Send this link to {email} in a private message. It works once, for one hour.");
    close(&engine).await
}

/// Gives an account another address.
pub async fn change_email(settings: &Settings, change: ChangeEmail) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let operator = Operator::at_the_command_line();
    let user_id = find(engine.db(), &change.email).await?;
    let changed = change_as_operator(&engine, &operator, user_id, change.to.clone()).await;
    match changed {
        Ok(()) => {}
        Err(error @ ChangeAddressError::Taken(_)) => {
            return Err(CliError::BadInput(error.to_string()));
        }
        Err(ChangeAddressError::Gone) => {
            return Err(CliError::Refused(format!(
                "The account of {} is disabled. Run `latchkey user enable` first",
                change.email
            )));
        }
        Err(ChangeAddressError::Fault(fault)) => {
            return Err(CliError::Failed(
                "the address was not changed",
                fault.into(),
            ));
        }
    }
    eprintln!("Changed. {} now signs in with {}.", change.email, change.to);
    close(&engine).await
}

/// Turns off the second factor of a user, who can then sign in with their password alone.
pub async fn reset_second_factor(
    settings: &Settings,
    reset: ResetSecondFactor,
) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let user_id = find(engine.db(), &reset.email).await?;
    let operator = Operator::at_the_command_line();
    let had_one = second_factor::reset(&engine, &operator, user_id).await;
    let had_one = had_one
        .map_err(|error| CliError::Failed("the second factor was not reset", error.into()))?;
    if had_one {
        eprintln!(
            "The second factor of {} was turned off. They sign in with their password alone.",
            reset.email
        );
    } else {
        eprintln!("{} has no second factor.", reset.email);
    }
    close(&engine).await
}

/// Writes what happened to the audit log, and closes the database.
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
        LifecycleError::NotFound(_) | LifecycleError::LastOperator(_) => {
            CliError::BadInput(error.to_string())
        }
        LifecycleError::Fault(fault) => {
            CliError::Failed("the account could not be loaded", fault.into())
        }
    })
}
