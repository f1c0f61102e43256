//! Fingerprints of files, to detect changes since a result was built.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal.
pub fn hex_digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Computes a digest of `also` and of the names and contents of the given files and of all files in the given folders,
/// relative to `root`.
///
/// A missing file counts as empty, so that a folder can be added later. The location of `root` does not affect the
/// digest.
pub fn of(root: &Path, names: &[&str], also: &str) -> Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(also);
    for name in names {
        for file in files_below(&root.join(name))? {
            hasher.update(file.strip_prefix(root)?.to_string_lossy().as_bytes());
            hasher.update(hex_digest(&fs::read(&file)?));
        }
    }
    Ok(hex_digest(&hasher.finalize()))
}

/// All files in a folder, recursively, or the file itself, sorted by name.
pub fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if path.is_file() {
        found.push(path.to_owned());
    } else if path.is_dir() {
        let mut entries = fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        entries.sort();
        for entry in entries {
            found.extend(files_below(&entry)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_sha256_in_hexadecimal() {
        assert_eq!(
            hex_digest(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_changed_renamed_or_added_file_changes_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join("sources").join(name);
        let now = || of(folder.path(), &["sources"], "").unwrap();
        fs::create_dir(folder.path().join("sources")).unwrap();
        fs::write(file("a"), "1").unwrap();
        let first = now();
        assert_eq!(first, now());
        fs::write(file("a"), "2").unwrap();
        let changed = now();
        assert_ne!(first, changed);
        fs::rename(file("a"), file("b")).unwrap();
        let renamed = now();
        assert_ne!(changed, renamed);
        fs::write(file("c"), "").unwrap();
        assert_ne!(renamed, now());
    }
}
