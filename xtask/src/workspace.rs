//! Where the sources are and where results go.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::step::output;

/// The two folders that every command needs.
#[derive(Clone)]
pub struct Workspace {
    /// The root of the checkout.
    pub root: PathBuf,
    /// Cargo's target folder, wherever `CARGO_TARGET_DIR` or a configuration file puts it.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let folder = |name: &str| {
            metadata[name]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata has no {name}"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
        })
    }

    /// The cargo that started xtask, set to work in this checkout.
    pub fn cargo(&self) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.root);
        cargo
    }

    /// The server's executable in one of cargo's profiles; `profile` is the name of its folder.
    pub fn server(&self, profile: &str) -> PathBuf {
        self.target
            .join(profile)
            .join(format!("latchkey{}", std::env::consts::EXE_SUFFIX))
    }

    /// The folder of files that the server embeds.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// A folder of programs that xtask fetched for itself.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}

/// Cargo in xtask's own folder, which `cargo run` names at run time: a target folder shared by several checkouts may hold
/// an xtask that another one compiled.
fn cargo() -> Command {
    let variable =
        |name: &str, otherwise: &str| std::env::var_os(name).unwrap_or_else(|| otherwise.into());
    let mut command = Command::new(variable("CARGO", "cargo"));
    command.current_dir(variable("CARGO_MANIFEST_DIR", "."));
    forget_xtask(&mut command);
    command
}

/// Takes out of a cargo's environment what `cargo run` said about xtask.
///
/// Some build scripts (ring's is one) ask to be run again when these change: they would be at every turn from the
/// developer's own cargo to this one, and all that depends on them compiled anew.
pub fn forget_xtask(cargo: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
}
