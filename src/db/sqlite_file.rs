//! The file of an SQLite database: readable only by its owner, and opened by one process at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::sqlite::SqliteConnectOptions;

/// Maximum number of attempts, [`BETWEEN_TRIES`] apart, while another process is opening the same database.
const MAX_TRIES: u32 = 600;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The path of the file in a URL; `None` for Postgres and for in-memory databases.
pub fn path(url: &str) -> Option<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).ok()?;
    let path = options.get_filename();
    let is_file = url.starts_with("sqlite:") && !path.as_os_str().is_empty();
    let is_memory = url.contains(":memory:") || url.contains("mode=memory");
    (is_file && !is_memory).then(|| path.to_owned())
}

/// Creates an empty file that only its owner can read, whatever the mode of its folder. SQLite copies the mode to the
/// files next to it.
pub(super) fn create(path: &Path) -> io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// Holds the lock while a database is created or migrated. Without it, SQLite fails with "database is locked" or
/// "table already exists" if two processes do so concurrently.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process holds the lock. The lock file is never deleted: otherwise a third process could
    /// lock a new file of the same name.
    pub(super) async fn acquire(database: &Path) -> io::Result<Self> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let file = private().create(true).truncate(false).open(name)?;
        for _ in 0..MAX_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_TRIES).await,
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "another process has been opening this database for a minute",
        ))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_file() {
        let named = |url| path(url).map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(named("sqlite:data/100%25.db").unwrap(), "data/100%.db");
        assert_eq!(named("sqlite:///var/l.db?mode=rwc").unwrap(), "/var/l.db");
        assert_eq!(named("sqlite::memory:"), None);
        assert_eq!(named("postgres://u@localhost/l"), None);
    }
}
