//! SQLite's pepper in a file of the data folder: `pepper`, and older peppers beside it as `pepper.1`, `pepper.2` and so
//! on.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use latchkey::random::{Randomness, RandomnessError};

use super::{error::PepperError, written::split};

/// The file of the current pepper.
pub(super) struct PepperFile<'a>(pub &'a Path);

/// A completed rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The number of the new pepper.
    pub current: i32,
    /// The number of the previous pepper.
    pub older: i32,
    /// The file that contains the previous pepper.
    pub older_file: PathBuf,
}

/// Why a pepper was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Another rotation is in progress.
    #[error(
        "another `latchkey pepper rotate` is running. Wait until it ends, then try again if needed"
    )]
    Running,
    /// Another pepper became current after `next` was chosen.
    #[error(
        "pepper {0} has just become current. Run `latchkey pepper rotate` again if you need another"
    )]
    Changed(i32),
    /// Another pepper is stored in the file where the current one would be kept.
    #[error("{0} contains another pepper. Move that file, then run `latchkey pepper rotate` again")]
    OlderTaken(PathBuf),
    /// A file cannot be used.
    #[error(transparent)]
    Pepper(#[from] PepperError),
}

impl PepperFile<'_> {
    /// The content of the file; `None` if it does not exist.
    pub fn read(&self) -> Result<Option<String>, PepperError> {
        match fs::read_to_string(self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(|error| failed(self.0, error)),
        }
    }

    /// The files of older peppers, and their contents.
    pub fn older(&self) -> Result<Vec<(PathBuf, String)>, PepperError> {
        let mut found = Vec::new();
        for path in self.older_paths().map_err(|error| failed(self.0, error))? {
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            found.push((path, text));
        }
        Ok(found)
    }

    /// The paths of the older peppers, ordered by number.
    pub fn older_paths(&self) -> io::Result<Vec<PathBuf>> {
        let folder = match fs::read_dir(folder_of(self.0)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            folder => folder?,
        };
        let mut found = Vec::new();
        for entry in folder {
            let path = entry?.path();
            let number = path
                .extension()
                .and_then(|number| number.to_str()?.parse::<i32>().ok());
            if let Some(number) = number.filter(|number| path == self.older_path(*number)) {
                found.push((number, path));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    fn older_path(&self, number: i32) -> PathBuf {
        self.beside(&number.to_string())
    }

    fn beside(&self, extension: &str) -> PathBuf {
        let mut name = OsString::from(self.0);
        name.push(".");
        name.push(extension);
        name.into()
    }

    /// Creates the file, unless another process has created it.
    pub fn create(&self, random: &Randomness) -> Result<(), PepperError> {
        let secret = new_secret(random)?;
        // The file is written under another name and then linked, so that if two processes start for the first time
        // concurrently, one creates it and both read it completely.
        let aside = self.beside(&format!("{}.new", std::process::id()));
        let created = || {
            write(&aside, &secret)?;
            let linked = fs::hard_link(&aside, self.0);
            fs::remove_file(&aside)?;
            match linked {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            }
        };
        created().map_err(|error| failed(self.0, error))
    }

    /// Replaces the pepper with a new one with the number `next`. The old one is stored before it is replaced, so that
    /// both it and the current one can be read whenever the rotation is interrupted; the next rotation continues from
    /// there.
    pub fn rotate(&self, next: i32, random: &Randomness) -> Result<Rotated, RotateError> {
        let lock = private().truncate(false).open(self.beside("lock"));
        let lock = lock.map_err(|error| failed(self.0, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RotateError::Running),
            Err(TryLockError::Error(error)) => return Err(failed(self.0, error).into()),
        }
        let text = self.read()?;
        let text = text.ok_or_else(|| PepperError::Lost(self.0.to_owned()))?;
        let not_a_pepper = |_| PepperError::NotAPepper(self.0.to_owned());
        let (older, secret) = split(text.trim()).map_err(not_a_pepper)?;
        if older >= next {
            return Err(RotateError::Changed(older));
        }
        let older_file = self.older_path(older);
        let kept = format!("{older}:{secret}");
        self.keep(&older_file, &kept)?;
        let new = format!("{next}:{}", new_secret(random).map_err(PepperError::from)?);
        let replaced = || {
            let aside = self.beside("new");
            write(&aside, &new)?;
            fs::rename(&aside, self.0)?;
            sync(self.0)
        };
        replaced().map_err(|error| failed(self.0, error))?;
        Ok(Rotated {
            current: next,
            older,
            older_file,
        })
    }

    /// Stores an older pepper, unless an interrupted rotation has already done so.
    fn keep(&self, path: &Path, pepper: &str) -> Result<(), RotateError> {
        let aside = self.beside("new");
        let linked = || {
            write(&aside, pepper)?;
            // Unlike a rename, a link does not replace an existing file.
            let linked = fs::hard_link(&aside, path);
            fs::remove_file(&aside)?;
            linked.and_then(|()| sync(path))
        };
        match linked() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let there = fs::read_to_string(path).map_err(|error| failed(path, error))?;
                if there.trim() == pepper {
                    Ok(())
                } else {
                    Err(RotateError::OlderTaken(path.to_owned()))
                }
            }
            linked => Ok(linked.map_err(|error| failed(path, error))?),
        }
    }
}

/// A new secret: 256 random bits in hexadecimal.
pub(super) fn new_secret(random: &Randomness) -> Result<String, RandomnessError> {
    let bytes: [u8; 32] = random.bytes()?;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn failed(path: &Path, error: io::Error) -> PepperError {
    match error.kind() {
        // The content is not UTF-8.
        io::ErrorKind::InvalidData => PepperError::NotAPepper(path.to_owned()),
        _ => PepperError::File(path.to_owned(), error),
    }
}

/// Writes a file that only its owner can read, and syncs it to disk. A file that an earlier process left behind is
/// replaced: another process can have the same process ID, and always does in a container.
fn write(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Syncs the folder too. Until then, a new name can be lost in a power failure.
#[cfg(unix)]
fn sync(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
