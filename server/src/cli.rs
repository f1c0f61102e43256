//! The command line. Secrets are printed alone on standard output; messages for people go to standard error.

mod audit;
mod backup;
mod check;
mod create_key;
mod demo;
mod error;
mod flags;
mod import_keys;
mod orgs;
mod people;
mod pepper;
mod setup_link;
mod tokens;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::{
    audit::VerifyFlags,
    backup::BackupFile,
    check::CheckFlags,
    create_key::NewKeyFlags,
    demo::DemoFlags,
    error::{CliError, with_causes},
    flags::Flags,
    import_keys::ImportFlags,
    orgs::{DeletedOrg, NewOrg},
    people::{Account, ChangeEmail, NewUser, OperatorMark, ResetPassword, ResetSecondFactor},
    tokens::{ListTokens, NewToken, RevokeToken},
};
use crate::{logging, serve, settings::Settings, start};

/// A self-hosted dashboard and verification service for API keys.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version)]
pub struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate the database, then serve until SIGTERM or Ctrl-C.
    Serve,
    /// Serve a made-up team with keys and use, to look around. Its data is in a temporary folder, unless LATCHKEY_DATA_DIR or
    /// LATCHKEY_DATABASE_URL is set; then it is added to that database, which must be empty. Prints the sign-ins of an owner,
    /// an admin and a member. Listens on this machine only.
    Demo(DemoFlags),
    /// Migrate the database.
    Migrate,
    /// Check whether the settings and the database work. Exits with 1 on errors; warnings alone exit with 0.
    Check(CheckFlags),
    /// Write the whole database to a new file. The server can keep running.
    Backup(BackupFile),
    /// Restore a backup into an empty database (SQLite or Postgres).
    Restore(BackupFile),
    /// Manage peppers: the secrets that protect the digests of keys.
    #[command(subcommand)]
    Pepper(PepperCommand),
    /// Print the link that creates the first account.
    SetupLink,
    /// Manage organizations.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Manage users.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage service tokens, which your API servers use to call Latchkey.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Verify the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Debug, Subcommand)]
enum PepperCommand {
    /// List the peppers, what uses each of them, and whether the settings contain it.
    Status,
    /// Create a new pepper and keep the old one. If LATCHKEY_PEPPER is set, print the new settings instead.
    Rotate,
}

#[derive(Debug, Subcommand)]
enum OrgCommand {
    /// Create an organization and print its slug.
    Create(NewOrg),
    /// Delete an organization. Its keys and service tokens stop working immediately.
    Delete(DeletedOrg),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create an account in an organization and print its ID.
    Create(NewUser),
    /// Make a user an operator of the instance, or no longer.
    Operator(OperatorMark),
    /// Sign a user out everywhere and block sign-in.
    Disable(Account),
    /// Allow a disabled user to sign in again.
    Enable(Account),
    /// Print a link with which a user sets a new password, or set it.
    ResetPassword(ResetPassword),
    /// Change the e-mail address of a user.
    ChangeEmail(ChangeEmail),
    /// Turn off the second factor of a user who has lost it.
    ResetSecondFactor(ResetSecondFactor),
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Create a service token and print it. It is shown only once.
    Create(NewToken),
    /// List service tokens.
    List(ListTokens),
    /// Revoke a service token.
    Revoke(RevokeToken),
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Create a key and print it. It is shown only once.
    Create(NewKeyFlags),
    /// Import existing keys by their SHA-256 digest and print a report. If any key is invalid, none is imported.
    Import(ImportFlags),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Verify that no entry was changed or removed. Prints the number of entries, a tab and the head.
    Verify(VerifyFlags),
    /// Accept the start of a log from which an earlier version of Latchkey deleted old entries. Run it once, after the
    /// upgrade, if `audit verify` asks for it.
    Seal,
}

impl Command {
    /// Whether the command requires an existing database. In the wrong folder it would otherwise create an empty
    /// database, and report that the token to revoke or the user to disable was not found.
    fn needs_database(&self) -> bool {
        match self {
            Self::Serve | Self::Demo(_) | Self::Migrate | Self::Check(_) | Self::Restore(_) => {
                false
            }
            Self::Org(OrgCommand::Create(_)) | Self::Token(TokenCommand::Create(_)) => false,
            Self::Backup(_) | Self::Pepper(_) | Self::SetupLink => true,
            Self::User(_) | Self::Key(_) | Self::Audit(_) | Self::Org(OrgCommand::Delete(_)) => {
                true
            }
            Self::Token(TokenCommand::List(_) | TokenCommand::Revoke(_)) => true,
        }
    }
}

/// Runs the command. The exit code is 2 for invalid input and 1 for other failures.
pub async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        // It also reports invalid settings.
        Command::Check(check) => check::check(&cli.flags, check).await,
        // It changes the settings.
        Command::Demo(demo) => demo::demo(&cli.flags, demo).await,
        command => run_with_settings(&cli.flags, command).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("latchkey: {}", with_causes(&error));
            match error {
                CliError::BadInput(_) | CliError::Settings(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn run_with_settings(flags: &Flags, command: Command) -> Result<(), CliError> {
    let (settings, unknown) = flags.settings()?;
    logging::start(&settings);
    for variable in unknown {
        tracing::warn!("{variable} is not a Latchkey setting and is ignored");
    }
    if command.needs_database() {
        start::require_database(&settings)?;
    }
    match command {
        Command::Serve => Ok(serve::serve(settings).await?),
        Command::Migrate => migrate(&settings).await,
        Command::Check(check) => check::check(flags, check).await,
        Command::Demo(demo) => demo::demo(flags, demo).await,
        Command::Backup(file) => backup::back_up(&settings, file).await,
        Command::Restore(file) => backup::restore(&settings, file).await,
        Command::Pepper(PepperCommand::Status) => pepper::status(&settings).await,
        Command::Pepper(PepperCommand::Rotate) => pepper::rotate(&settings).await,
        Command::SetupLink => setup_link::print(&settings).await,
        Command::Org(OrgCommand::Create(new)) => orgs::create(&settings, new).await,
        Command::Org(OrgCommand::Delete(deleted)) => orgs::delete(&settings, deleted).await,
        Command::User(command) => match command {
            UserCommand::Operator(mark) => people::mark_operator(&settings, mark).await,
            UserCommand::Create(new) => people::create(&settings, new).await,
            UserCommand::Disable(account) => people::disable(&settings, account).await,
            UserCommand::Enable(account) => people::enable(&settings, account).await,
            UserCommand::ResetPassword(reset) => people::reset_password(&settings, reset).await,
            UserCommand::ChangeEmail(change) => people::change_email(&settings, change).await,
            UserCommand::ResetSecondFactor(reset) => {
                people::reset_second_factor(&settings, reset).await
            }
        },
        Command::Token(command) => match command {
            TokenCommand::Create(new) => tokens::create(&settings, new).await,
            TokenCommand::List(flags) => tokens::list(&settings, flags).await,
            TokenCommand::Revoke(flags) => tokens::revoke(&settings, flags).await,
        },
        Command::Key(KeyCommand::Create(new)) => create_key::key(&settings, new).await,
        Command::Key(KeyCommand::Import(flags)) => import_keys::import_file(&settings, flags).await,
        Command::Audit(AuditCommand::Verify(flags)) => audit::verify(&settings, flags).await,
        Command::Audit(AuditCommand::Seal) => audit::seal(&settings).await,
    }
}

async fn migrate(settings: &Settings) -> Result<(), CliError> {
    let db = start::database(settings).await?;
    eprintln!("The {} database is up to date.", db.name());
    db.close().await;
    Ok(())
}
