//! `latchkey check`: prints one line for each requirement.

use clap::Args;
use latchkey::{
    audit,
    clock::Clock,
    db::Db,
    email::EmailAddress,
    feed::{self, NotNotified, Noticing},
    peppers,
};

use super::{
    error::{CliError, with_causes},
    flags::Flags,
};
use crate::{
    exposed_files,
    mail::{MailServer, SendError},
    settings::{PepperError, Settings},
    start::check_data_dir,
};

#[derive(Debug, Args)]
pub struct CheckFlags {
    /// Also exit with 1 on warnings: unknown variables, a proxy that is not in the settings, mail whose links
    /// others can read or that lead to localhost, files that other
    /// users can read or write, a Postgres that cannot
    /// notify this process of changes, and an audit log that does not start where Latchkey left it.
    #[arg(long)]
    strict: bool,
    /// Also send a test mail to this address.
    #[arg(long, value_name = "ADDRESS")]
    mail_to: Option<EmailAddress>,
}

/// Reports whether the settings and the database work. Changes nothing.
pub async fn check(flags: &Flags, check: CheckFlags) -> Result<(), CliError> {
    let CheckFlags { strict, mail_to } = check;
    let warnings = errors(flags, mail_to.as_ref()).await?;
    if strict && warnings > 0 {
        return Err(CliError::Warnings);
    }
    Ok(())
}

/// Prints the result of each check. Returns the number of warnings if there are no errors.
async fn errors(flags: &Flags, mail_to: Option<&EmailAddress>) -> Result<usize, CliError> {
    let mut warnings = 0;
    let settings = match flags.settings() {
        Ok((settings, unknown)) => {
            println!(
                "settings: ok, convention {}, {}",
                settings.convention.name,
                settings.public_url(settings.listen.port())
            );
            for variable in unknown {
                warnings += 1;
                println!("settings: {variable} is not a setting and is ignored");
            }
            settings
        }
        Err(error) => {
            println!("settings: {error}");
            return Err(CliError::Unwell);
        }
    };
    if let Some(sentence) = settings.undeclared_proxy() {
        warnings += 1;
        println!("settings: {sentence}");
    }
    for sentence in settings.mail_warnings() {
        warnings += 1;
        println!("settings: {sentence}");
    }
    for exposed in exposed_files::find(&settings) {
        warnings += 1;
        println!("files: {exposed}");
    }
    if let Err(error) = check_data_dir(&settings) {
        println!("{}", with_causes(&error));
        return Err(CliError::Unwell);
    }
    let mail = mail(&settings, mail_to).await;
    let sends_mail = match mail {
        Ok(None) => true,
        Ok(Some(words)) => {
            println!("mail: {words}");
            true
        }
        Err(words) => {
            println!("mail: {words}");
            false
        }
    };
    let words = database(&settings).await;
    match &words {
        Ok((words, _)) | Err(words) => println!("database: {words}"),
    }
    let Ok((_, db)) = words else {
        return Err(CliError::Unwell);
    };
    // Without a database, nothing is stored under a pepper.
    let Some(db) = db else {
        return if sends_mail {
            Ok(warnings)
        } else {
            Err(CliError::Unwell)
        };
    };
    let noticing = feed::noticing(&db, settings.database_listen_url()).await;
    println!("changes by other instances: {}", in_full(&noticing));
    let is_slow = !matches!(
        noticing,
        Noticing::Notified | Noticing::Looking(NotNotified::Sqlite)
    );
    warnings += usize::from(is_slow);
    let words = pepper(&settings, &db).await;
    match &words {
        Ok(words) | Err(words) => println!("pepper: {words}"),
    }
    if let Some(words) = beginning_of_audit_log(&settings, &db).await {
        warnings += 1;
        println!("audit log: {words}");
    }
    db.close().await;
    let works = match noticing {
        Noticing::Notified | Noticing::Looking(NotNotified::Sqlite) => true,
        // Polling works, only later. But if a listen address was configured, that address does not work.
        Noticing::Looking(_) => settings.database_listen_url().is_none(),
    };
    if works && words.is_ok() && sends_mail {
        Ok(warnings)
    } else {
        Err(CliError::Unwell)
    }
}

/// Connects to the mail server, and sends a test mail if there is an address for it. Returns `None` if no mail is set up.
async fn mail(
    settings: &Settings,
    mail_to: Option<&EmailAddress>,
) -> Result<Option<String>, String> {
    let Some(mail) = &settings.mail else {
        return match mail_to {
            None => Ok(None),
            Some(_) => Err("smtp_url is not set".to_owned()),
        };
    };
    let server = MailServer::new(mail).map_err(|error| with_causes(&error))?;
    // A mail server can write anything, so what it says is escaped.
    let failed = |error: SendError| {
        let why = with_causes(&error).escape_debug().to_string();
        format!("{}: {why}", mail.server)
    };
    server.test().await.map_err(failed)?;
    let sent = match mail_to {
        None => String::new(),
        Some(to) => {
            let public_url = settings.public_url(settings.listen.port());
            let message = server.test_message(to, public_url.origin(), Clock::System.now());
            let message = message.map_err(|error| with_causes(&error))?;
            server.send(message).await.map_err(failed)?;
            format!(", sent a mail to {to}")
        }
    };
    Ok(Some(format!("ok, {}{sent}", mail.server)))
}

/// How changes are noticed, with the reason if notifications do not work.
fn in_full(noticing: &Noticing) -> String {
    match noticing {
        Noticing::Looking(NotNotified::Unreachable(error)) => {
            format!("{noticing}: {}", with_causes(error))
        }
        _ => noticing.to_string(),
    }
}

/// The message about the database, and the database if it exists.
async fn database(settings: &Settings) -> Result<(String, Option<Db>), String> {
    if let Some(file) = settings.sqlite_file().filter(|file| !file.exists()) {
        let words = format!(
            "ok, not created yet: `latchkey serve` creates {}",
            file.display()
        );
        return Ok((words, None));
    }
    let db = Db::connect(settings.database_url().expose())
        .await
        .map_err(|error| with_causes(&error))?;
    let pending = db
        .pending_migrations()
        .await
        .map_err(|error| with_causes(&error))?;
    let name = db.name();
    match pending {
        0 if db.has_pooler() => Ok((
            format!("ok, {name} behind a pooler in transaction mode, up to date"),
            Some(db),
        )),
        0 => Ok((format!("ok, {name}, up to date"), Some(db))),
        pending => Err(format!(
            "{name} responds but needs {pending} migrations. Run `latchkey migrate`"
        )),
    }
}

/// Reports what is wrong with the start of the audit log. Verifying every entry would take minutes.
async fn beginning_of_audit_log(settings: &Settings, db: &Db) -> Option<String> {
    // Errors with the peppers are reported elsewhere.
    let peppers = settings.existing_peppers().ok().flatten()?;
    let checked = audit::check_beginning(db, &peppers).await;
    checked.err().map(|error| with_causes(&error))
}

/// Reports whether the settings contain the peppers that the database needs.
pub async fn pepper(settings: &Settings, db: &Db) -> Result<String, String> {
    let is_used = db.has_used_pepper().await;
    let is_used = is_used.map_err(|error| with_causes(&error))?;
    let peppers = settings
        .existing_peppers()
        .map_err(|error| with_causes(&error))?;
    let Some(peppers) = peppers else {
        let file = settings.pepper_file();
        return if is_used {
            Err(with_causes(&PepperError::Lost(file)))
        } else {
            Ok(format!(
                "ok, not created yet: `latchkey serve` creates {}",
                file.display()
            ))
        };
    };
    peppers::check(db, &peppers, Clock::System.now())
        .await
        .map_err(|error| with_causes(&error))?;
    Ok(format!("ok, number {}", peppers.current_version()))
}
