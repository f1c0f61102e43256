//! Detects whether other users of the machine can access the database and the pepper. Reported as warnings at startup
//! and by `latchkey check`.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use crate::settings::Settings;

/// A file or folder that users other than its owner can access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    path: PathBuf,
    how: How,
}

/// What other users can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Read,
    Write,
    ReadAndWrite,
    /// Add files to the folder, and replace existing ones.
    Replace,
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, whom) = (self.path.display(), "other users of this machine");
        match self.how {
            How::Read => write!(f, "{path} can be read by {whom}. Run chmod 600 {path}"),
            How::Write => write!(f, "{path} can be written by {whom}. Run chmod 600 {path}"),
            How::ReadAndWrite => {
                write!(
                    f,
                    "{path} can be read and written by {whom}. Run chmod 600 {path}"
                )
            }
            How::Replace => write!(
                f,
                "the files in {path} can be replaced by {whom}, who can write to the folder. Run chmod go-w {path}"
            ),
        }
    }
}

/// Logs a warning for each exposed file or folder.
pub fn warn(settings: &Settings) {
    for exposed in find(settings) {
        tracing::warn!("{exposed}");
    }
}

/// The folders and files of the database and the pepper that users other than their owner can access.
pub fn find(settings: &Settings) -> Vec<Exposed> {
    let database = settings.sqlite_file();
    let folders = database
        .is_some()
        .then(|| settings.data_dir.clone())
        .into_iter()
        .chain(database.as_deref().and_then(folder_of));
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.dedup();
    let beside = |suffix: &str| {
        database.as_ref().map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        })
    };
    let files = ["", "-wal", "-shm"].into_iter().filter_map(beside);
    let files = files.chain(peppers(&settings.data_dir));
    let exposed = |path: PathBuf, how: fn(u32) -> Option<How>| {
        let how = how(mode(&path)?)?;
        Some(Exposed { path, how })
    };
    let folders = folders
        .into_iter()
        .filter_map(|folder| exposed(folder, of_folder));
    // If a folder exists at the path of a file, that is reported as another error.
    let files = files
        .filter(|file| file.is_file())
        .filter_map(|file| exposed(file, of_file));
    folders.chain(files).collect()
}

/// The current and older pepper files, and other files with such a name: copies, or the remains of an interrupted
/// rotation.
fn peppers(data_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data_dir).into_iter().flatten().flatten();
    let named = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name == "pepper" || name.starts_with("pepper.")
    });
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn folder_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    Some(if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_owned()
    })
}

fn of_folder(mode: u32) -> Option<How> {
    (mode & 0o022 != 0).then_some(How::Replace)
}

fn of_file(mode: u32) -> Option<How> {
    match (mode & 0o044 != 0, mode & 0o022 != 0) {
        (false, false) => None,
        (true, false) => Some(How::Read),
        (false, true) => Some(How::Write),
        (true, true) => Some(How::ReadAndWrite),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::metadata(path).ok()?.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0o600, None)]
    #[case(0o711, None)]
    #[case(0o640, Some("data can be read by other users"))]
    #[case(0o604, Some("data can be read by other users"))]
    #[case(0o620, Some("data can be written by other users"))]
    #[case(0o602, Some("data can be written by other users"))]
    #[case(0o624, Some("data can be read and written by other users"))]
    #[case(0o666, Some("data can be read and written by other users"))]
    fn what_others_can_do_is_said_in_words(#[case] mode: u32, #[case] words: Option<&str>) {
        let said = of_file(mode).map(|how| {
            let path = PathBuf::from("data");
            Exposed { path, how }.to_string()
        });
        assert_eq!(said.is_some(), words.is_some(), "{said:?}");
        if let (Some(said), Some(words)) = (said, words) {
            assert!(
                said.starts_with(words) && said.ends_with("chmod 600 data"),
                "{said}"
            );
        }
    }

    #[rstest]
    #[case(0o700, false)]
    #[case(0o755, false)]
    #[case(0o775, true)]
    #[case(0o1777, true)]
    fn a_folder_that_others_can_write_to_is_exposed(#[case] mode: u32, #[case] is_exposed: bool) {
        assert_eq!(of_folder(mode).is_some(), is_exposed);
    }
}
