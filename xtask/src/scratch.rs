//! The folder for what tests store. In memory if possible: creating and deleting the files of a thousand databases on a
//! disk takes about half the time of the tests.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use tempfile::TempDir;

use crate::step::output;

/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
/// Free memory that the tests need, in KiB.
const NEEDED: u64 = 2 * 1024 * 1024;

/// Creates an empty folder, which is deleted when the value is dropped.
pub fn folder(prefix: &str) -> Result<TempDir> {
    let memory = Path::new(MEMORY);
    let parent = if free(memory).is_some_and(|free| free >= NEEDED) {
        PathBuf::from(memory)
    } else {
        std::env::temp_dir()
    };
    Ok(tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?)
}

/// The free space of a file system, in KiB.
fn free(folder: &Path) -> Option<u64> {
    let table = output(Command::new("df").arg("-Pk").arg(folder)).ok()?;
    table
        .lines()
        .last()?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()
}
