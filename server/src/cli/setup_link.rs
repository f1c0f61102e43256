//! `latchkey setup-link`: prints the link that creates the first account again.

use latchkey::accounts::{
    SignUpPolicy, setup_code,
    sign_up::{self, MaySignUp},
};

use super::CliError;
use crate::{settings::Settings, start};

/// Prints the link if no account exists.
pub async fn print(settings: &Settings) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let may = sign_up::may_sign_up(&engine).await;
    let may =
        may.map_err(|error| CliError::Failed("the database does not respond", error.into()))?;
    let link = format!(
        "{}{}",
        settings.public_url(settings.listen.port()),
        setup_code::path(&engine)
    );
    engine.db().close().await;
    match may {
        MaySignUp::First => {
            println!("{link}");
            Ok(())
        }
        MaySignUp::NoOne if settings.sign_up == SignUpPolicy::Closed => Err(CliError::Refused(
            "sign_up is closed. Create accounts with `latchkey user create`".to_owned(),
        )),
        MaySignUp::NoOne | MaySignUp::Everyone => Err(CliError::Refused(
            "An account exists. The setup link no longer works".to_owned(),
        )),
    }
}
