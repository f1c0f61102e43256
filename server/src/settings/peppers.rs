//! The peppers that key digests are made with: from the settings, or from a file that the first start makes.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use latchkey::{
    key::digest::{Pepper, Peppers},
    random::{Randomness, RandomnessError},
};

use super::Secret;

/// Why there is no pepper.
#[derive(Debug, thiserror::Error)]
pub enum PepperError {
    /// Several instances on one database must have the same.
    #[error(
        "pepper (in the settings): Postgres needs one. Set LATCHKEY_PEPPER to the same value on every instance, for \
         example to what `openssl rand -hex 32` prints"
    )]
    NeededForPostgres,
    /// The file is gone, and keys were digested with what it held.
    #[error(
        "the pepper's file {0} is missing, and the database holds keys that only its pepper recognises. Restore the \
         file from a backup, or set LATCHKEY_PEPPER to what it held"
    )]
    Lost(PathBuf),
    /// The file could not be read or made.
    #[error("the pepper's file {0}: {1}")]
    File(PathBuf, io::Error),
    /// The file holds something else.
    #[error("the pepper's file {0}: {1}")]
    NotAPepper(PathBuf, String),
    /// Two have the same number.
    #[error("older_peppers: number {0} is there twice. Each pepper has a number of its own")]
    NumberTwice(i32),
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

/// A pepper as it is written: `NUMBER:SECRET`, or the secret of number 1 alone.
///
/// # Errors
/// With a sentence that says what would do.
pub(super) fn parse(text: &str) -> Result<Pepper, String> {
    let (number, secret) = match text.split_once(':') {
        Some((number, secret)) => {
            let number: i32 = number
                .parse()
                .map_err(|_| "must begin with a number before the colon".to_owned())?;
            (number, secret)
        }
        None => (1, text),
    };
    if number < 1 {
        return Err("must have a number of at least 1".to_owned());
    }
    Pepper::new(number, secret.as_bytes()).map_err(|_| {
        "must have at least 32 random characters; `openssl rand -hex 32` prints some".to_owned()
    })
}

/// The peppers to use. `in_settings` is the one that the settings name; without it, SQLite's is kept in `file`, which
/// is made unless there are digests already (`is_used`).
///
/// # Errors
/// When Postgres has none, or the file is lost or cannot be read or made.
pub(super) fn peppers(
    in_settings: Option<&Secret>,
    older: &[Secret],
    is_postgres: bool,
    is_used: bool,
    file: PathBuf,
    random: &Randomness,
) -> Result<Peppers, PepperError> {
    let invalid = |reason| PepperError::NotAPepper(file.clone(), reason);
    let current = match in_settings {
        Some(secret) => parse(secret.expose()).map_err(invalid)?,
        None if is_postgres => return Err(PepperError::NeededForPostgres),
        None if is_used && !file.exists() => return Err(PepperError::Lost(file)),
        None => {
            let text = read_or_make(&file, random).map_err(|error| match error {
                MakeError::Io(error) => PepperError::File(file.clone(), error),
                MakeError::Randomness(error) => PepperError::Randomness(error),
            })?;
            parse(text.trim()).map_err(invalid)?
        }
    };
    let mut numbers = vec![current.version()];
    let mut older_peppers = Vec::new();
    for secret in older {
        let pepper = parse(secret.expose()).map_err(invalid)?;
        if numbers.contains(&pepper.version()) {
            return Err(PepperError::NumberTwice(pepper.version()));
        }
        numbers.push(pepper.version());
        older_peppers.push(pepper);
    }
    Ok(Peppers::new(current, older_peppers))
}

enum MakeError {
    Io(io::Error),
    Randomness(RandomnessError),
}

impl From<io::Error> for MakeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The text of the pepper's file, which is made when there is none.
fn read_or_make(file: &Path, random: &Randomness) -> Result<String, MakeError> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return Ok(read?),
    }
    let bytes: [u8; 32] = random.bytes().map_err(MakeError::Randomness)?;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    // Written aside and then linked, so that of two first starts at once one makes it and both read it whole.
    let aside = file.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(&aside)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()?;
    let linked = fs::hard_link(&aside, file);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(fs::read_to_string(file)?),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pepper");
        let read = |seed| read_or_make(&file, &Randomness::seeded(seed)).ok().unwrap();
        let first = read(1);
        assert_eq!(first.len(), 64);
        assert_eq!(read(2), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_lost_file_is_not_replaced_while_keys_need_it() {
        let folder = tempfile::tempdir().unwrap();
        let from_file = |is_used| {
            peppers(
                None,
                &[],
                false,
                is_used,
                folder.path().join("pepper"),
                &Randomness::seeded(1),
            )
        };
        assert!(matches!(from_file(true), Err(PepperError::Lost(_))));
        assert!(from_file(false).is_ok());
        assert!(from_file(true).is_ok());
    }

    #[test]
    fn a_pepper_has_a_number_and_enough_characters() {
        let secret = "x".repeat(32);
        assert_eq!(parse(&secret).unwrap().version(), 1);
        assert_eq!(parse(&format!("7:{secret}")).unwrap().version(), 7);
        for bad in [
            "short",
            "2:short",
            "two:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "0:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn postgres_needs_one_and_numbers_are_used_once() {
        let (file, random) = (|| PathBuf::from("unused"), Randomness::seeded(1));
        let secret = |number: u8| Secret::new(format!("{number}:{}", "x".repeat(32)));
        assert!(matches!(
            peppers(None, &[], true, false, file(), &random),
            Err(PepperError::NeededForPostgres)
        ));
        let two = peppers(Some(&secret(2)), &[secret(1)], true, true, file(), &random).unwrap();
        assert_eq!(two.current_version(), 2);
        let twice = peppers(Some(&secret(2)), &[secret(2)], true, true, file(), &random);
        assert!(matches!(twice, Err(PepperError::NumberTwice(2))));
    }
}
