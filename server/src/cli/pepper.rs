//! `latchkey pepper status` and `latchkey pepper rotate`, and what a rotation means for a running server.

use latchkey::{
    Engine,
    clock::Clock,
    instances,
    peppers::{self, UnusablePeppers},
    random::Randomness,
};

use super::error::CliError;
use crate::{
    settings::{PepperError, Settings},
    start::{self, StartError},
};

/// Prints a tab-separated line for each pepper that the database or the settings contain.
pub async fn status(settings: &Settings) -> Result<(), CliError> {
    let db = start::existing_database(settings).await?;
    let peppers = settings.existing_peppers().map_err(StartError::from)?;
    let uses = peppers::status(&db, peppers.as_ref(), Clock::System.now()).await;
    let uses = uses.map_err(|error| unusable(error.into()))?;
    println!(
        "PEPPER\tKEY_SECRETS\tSERVICE_TOKENS\tSECOND_FACTORS\tLINKS\tAUDIT_ENTRIES\tNEEDED\tSETTINGS\tCURRENT"
    );
    let current = peppers.as_ref().map(|peppers| peppers.current_version());
    let yes = |yes| if yes { "yes" } else { "-" };
    for (version, used) in uses {
        println!(
            "{version}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            used.key_secrets,
            used.service_tokens,
            used.second_factors,
            used.links,
            used.audit_entries,
            match used.audit_entries {
                _ if used.is_needed() => "yes",
                // They stop working without it, and can be created again.
                _ if used.links > 0 => "links",
                0 => "-",
                // `audit verify` fails without it.
                _ => "audit",
            },
            match used.is_right {
                Some(true) => "yes",
                Some(false) => "other secret",
                None => "missing",
            },
            yes(current == Some(version)),
        );
    }
    db.close().await;
    Ok(())
}

/// Replaces the pepper in its file, or prints the new settings if the settings contain the pepper.
pub async fn rotate(settings: &Settings) -> Result<(), CliError> {
    let db = start::existing_database(settings).await?;
    let now = Clock::System.now();
    let peppers = settings.existing_peppers().map_err(StartError::from)?;
    let peppers =
        peppers.ok_or_else(|| StartError::from(PepperError::Lost(settings.pepper_file())))?;
    // After the rotation, a wrong pepper could no longer be distinguished from the rotated one.
    peppers::check(&db, &peppers, now).await.map_err(unusable)?;
    let uses = peppers::status(&db, Some(&peppers), now).await;
    let uses = uses.map_err(|error| unusable(error.into()))?;
    let next = peppers::next_number(&peppers, uses.keys());
    db.close().await;
    if settings.names_pepper() {
        print_settings(settings, next)
    } else {
        rotate_file(settings, next)
    }
}

/// Added to the output of commands that create a key or token: when a running Latchkey accepts it.
pub async fn when_known(engine: &Engine) -> &'static str {
    match instances::any_lacks_current_pepper(engine).await {
        Ok(true) => {
            "Restart `latchkey serve`. It was started before the pepper was rotated and rejects keys and tokens \
             created since then."
        }
        // The key was created, even if the instances could not be read.
        Ok(false) | Err(_) => "This takes effect on a running Latchkey within a second.",
    }
}

fn rotate_file(settings: &Settings, next: i32) -> Result<(), CliError> {
    let rotated = settings.rotate_pepper(next, &Randomness::System)?;
    eprintln!(
        "Pepper {} in {} is now current. Pepper {} is kept in {}. Copy both files to your backup location.",
        rotated.current,
        settings.pepper_file().display(),
        rotated.older,
        rotated.older_file.display()
    );
    eprintln!(
        "Restart `latchkey serve` now. Until then, it does not recognize keys that you create on the command line. \
         Keys move to the new pepper when they are used. `latchkey pepper status` shows which peppers are still \
         needed."
    );
    Ok(())
}

fn print_settings(settings: &Settings, next: i32) -> Result<(), CliError> {
    let rotated = settings.rotated_settings(next, &Randomness::System);
    let (current, older) = rotated.map_err(StartError::from)?;
    if older.iter().any(|pepper| pepper.contains(',')) {
        return Err(CliError::Refused(
            "A pepper contains a comma, which separates peppers in LATCHKEY_OLDER_PEPPERS. In latchkey.toml, add it to \
             older_peppers as NUMBER:SECRET, and set pepper to a new one."
                .to_owned(),
        ));
    }
    println!("LATCHKEY_PEPPER={current}");
    println!("LATCHKEY_OLDER_PEPPERS={}", older.join(","));
    eprintln!(
        "Nothing was changed. Set these variables and restart. If you run several instances, first add the new pepper \
         to LATCHKEY_OLDER_PEPPERS on each instance and restart it. Then set these variables on each. All instances \
         must know the new pepper before any instance uses it."
    );
    Ok(())
}

fn unusable(error: UnusablePeppers) -> CliError {
    StartError::from(error).into()
}
