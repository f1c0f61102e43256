//! `latchkey audit`: verifies the audit log.

use clap::Args;
use latchkey::audit::{self, BrokenChain, InvalidCheckpoint};

use super::error::CliError;
use crate::{settings::Settings, start};

#[derive(Debug, Args)]
pub struct VerifyFlags {
    /// A head that was printed earlier. Fails if no entry has it.
    #[arg(long, value_name = "HASH", value_parser = parse_head)]
    head: Option<String>,
}

/// Verifies every entry, and prints the number of entries and the hash of the last one.
pub async fn verify(settings: &Settings, flags: VerifyFlags) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let verified = audit::verify(&engine, flags.head.as_deref()).await;
    engine.db().close().await;
    let head = verified.map_err(|error| match error {
        BrokenChain::Storage(error) => {
            CliError::Failed("the audit log could not be read", error.into())
        }
        broken => CliError::Refused(broken.to_string()),
    })?;
    println!("{}\t{}", head.count, head.hash);
    Ok(())
}

/// Accepts the start of a log from which an earlier version deleted entries.
pub async fn seal(settings: &Settings) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let sealed = audit::seal(&engine).await;
    engine.db().close().await;
    let sealed = sealed.map_err(|error| match error {
        InvalidCheckpoint::Storage(error) => {
            CliError::Failed("the start of the audit log was not sealed", error.into())
        }
        invalid => CliError::Refused(invalid.to_string()),
    })?;
    match sealed {
        Some(position) => eprintln!(
            "Sealed. From now on, the audit log starts after position {position}, and any change to that is detected."
        ),
        None => eprintln!("The start of the audit log is already sealed. Nothing was changed."),
    }
    Ok(())
}

fn parse_head(text: &str) -> Result<String, &'static str> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_hash {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("must be 64 hexadecimal digits, as `latchkey audit verify` prints them"),
    }
}
