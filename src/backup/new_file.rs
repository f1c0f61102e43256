//! A file that gets its final name only once it is complete, and that only its owner can read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{BackupError, EndLine};

/// A backup that is being written. It is deleted if dropped without [`NewFile::finish`].
pub(super) struct NewFile {
    aside: Aside,
    output: BufWriter<File>,
    sum: Sha256,
    rows: u64,
}

/// The temporary path, deleted on drop. After the final rename there is nothing left to delete.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        // The error that stopped the backup is more useful than this one.
        let _ = fs::remove_file(&self.0);
    }
}

impl NewFile {
    /// Creates a temporary file in the same folder as `path`, so that renaming it is atomic.
    pub fn create(path: &Path) -> Result<Self, BackupError> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.incomplete", std::process::id()));
        let aside = PathBuf::from(name);
        let unwritten = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => BackupError::NoFolder(path.to_owned()),
            _ => BackupError::Write(path.to_owned(), error),
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let output = BufWriter::with_capacity(256 * 1024, options.open(&aside).map_err(unwritten)?);
        Ok(Self {
            aside: Aside(aside),
            output,
            sum: Sha256::new(),
            rows: 0,
        })
    }

    /// Writes a line and adds it to the checksum.
    pub fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.sum.update(&text);
        self.output.write_all(&text)
    }

    pub fn row(&mut self, row: &[serde_json::Value]) -> io::Result<()> {
        self.rows += 1;
        self.line(&row)
    }

    /// Writes the last line, syncs the file to disk and renames it. Returns the number of rows.
    pub fn finish(mut self, path: &Path) -> io::Result<u64> {
        let end = EndLine {
            rows: self.rows,
            sha256: hex(&self.sum.finalize_reset()),
        };
        self.line(&end)?;
        self.output.flush()?;
        self.output.get_ref().sync_all()?;
        fs::rename(&self.aside.0, path)?;
        sync_folder(path)?;
        Ok(self.rows)
    }
}

/// Syncs the folder: until then, a power failure can lose the new name.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
