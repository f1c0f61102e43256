//! The folders for sources and build results.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::step::output;

/// The folders that every command needs.
#[derive(Clone)]
pub struct Workspace {
    /// The root of the checkout.
    pub root: PathBuf,
    /// Cargo's target folder, as set by `CARGO_TARGET_DIR` or a configuration file.
    pub target: PathBuf,
    /// Whether clippy compiles the crates of the workspace, and fails on warnings.
    clippy: bool,
}

impl Workspace {
    /// Finds the folders with `cargo metadata`.
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
            clippy: false,
        })
    }

    /// The same workspace, compiled by clippy. `cargo clippy` only checks, so it would go through all crates once more,
    /// dependencies included.
    pub fn with_clippy(self) -> Self {
        Self {
            clippy: true,
            ..self
        }
    }

    /// The cargo that started xtask, running in this checkout.
    pub fn cargo(&self) -> Command {
        let mut cargo = self.cargo_without_clippy();
        if self.clippy {
            // The same variables as `cargo clippy -- -D warnings` sets.
            cargo
                .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
                .env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
        }
        cargo
    }

    /// The same for what is shipped: clippy compiles without some optimizations.
    pub fn cargo_without_clippy(&self) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(&self.root);
        cargo
    }

    /// The server's executable. `profile` is the name of the profile's folder.
    pub fn server(&self, profile: &str) -> PathBuf {
        self.target
            .join(profile)
            .join(format!("latchkey{}", std::env::consts::EXE_SUFFIX))
    }

    /// The folder of files that the server embeds.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The folder for programs that xtask downloads.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}

/// Cargo, running in xtask's own folder. `cargo run` names the folder at run time, because a target folder shared by
/// several checkouts can contain an xtask compiled by another one.
fn cargo() -> Command {
    let variable =
        |name: &str, otherwise: &str| std::env::var_os(name).unwrap_or_else(|| otherwise.into());
    let mut command = Command::new(variable("CARGO", "cargo"));
    command.current_dir(variable("CARGO_MANIFEST_DIR", "."));
    forget_xtask(&mut command);
    command
}

/// Removes the variables that `cargo run` set for xtask from a cargo command's environment.
///
/// Some build scripts, such as ring's, are rerun when these variables change. They would be rerun whenever the
/// developer's own cargo and this one alternate, and all dependent crates would be recompiled.
pub fn forget_xtask(cargo: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
}
