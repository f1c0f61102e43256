//! Finds or installs a compiler for `wasm32-unknown-unknown`.
//!
//! If rustup cannot download the target, Debian's `rustc-web` can compile for it but has no standard library for it.
//! The standard library is then built once from `rust-web-src` into a custom sysroot in the target folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    debian,
    step::{find_program, output, run_quietly, step},
    workspace::{Workspace, forget_xtask},
};

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-llvm",
    "lld-22",
];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

/// A compiler that supports WebAssembly.
pub enum WasmCompiler {
    /// The developer's own compiler, with the target installed.
    Own,
    /// Debian's compiler, with the standard library in a custom sysroot.
    Debian {
        /// The folder to pass as `--sysroot`.
        sysroot: PathBuf,
    },
}

impl WasmCompiler {
    /// Finds or installs the compiler. Prints nothing if there is nothing to do.
    pub fn find(workspace: &Workspace) -> Result<Self> {
        if own_has_target()? {
            return Ok(Self::Own);
        }
        if debian_is_complete() {
            return debian_sysroot(workspace);
        }
        if find_program(&["rustup"]).is_some() {
            let added = step(&format!("rustup target add {TARGET}"), || {
                run_quietly(Command::new("rustup").args(["target", "add", TARGET]))
            });
            if added.is_ok() && own_has_target()? {
                return Ok(Self::Own);
            }
            eprintln!("  rustup could not install {TARGET}; trying Debian's packages");
        }
        debian::install(&PACKAGES).with_context(|| {
            format!(
                "no installed Rust compiler supports {TARGET}: run `rustup target add {TARGET}`"
            )
        })?;
        if !debian_is_complete() {
            bail!(
                "the Debian packages {} are installed but do not contain {DEBIAN_SOURCE}",
                PACKAGES.join(" ")
            );
        }
        debian_sysroot(workspace)
    }

    /// A cargo command for the target, without subcommand, and the folder for its output.
    pub fn cargo(&self, workspace: &Workspace) -> (Command, PathBuf) {
        match self {
            Self::Own => {
                let mut cargo = workspace.cargo_without_clippy();
                cargo.env("CARGO_TARGET_DIR", &workspace.target);
                (cargo, workspace.target.join(TARGET))
            }
            Self::Debian { sysroot } => {
                // A separate folder: two compilers that share one would rebuild everything whenever they alternate.
                let target = workspace.target.join("wasm-build");
                let mut cargo = debian_cargo(&target);
                cargo.current_dir(&workspace.root);
                cargo.env(
                    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
                    format!("--sysroot={}", sysroot.display()),
                );
                (cargo, target.join(TARGET))
            }
        }
    }

    /// The compiler's version, to detect upgrades.
    pub fn version(&self) -> Result<String> {
        match self {
            Self::Own => output(Command::new("rustc").arg("-vV")),
            Self::Debian { .. } => debian_version(),
        }
    }
}

fn own_has_target() -> Result<bool> {
    let folder =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(has_std(Path::new(&folder)))
}

fn has_std(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn debian_is_complete() -> bool {
    [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_SOURCE]
        .iter()
        .all(|file| Path::new(file).is_file())
        && find_program(&["rust-lld"]).is_some()
}

fn debian_version() -> Result<String> {
    output(
        Command::new(DEBIAN_RUSTC)
            .env_remove("LD_LIBRARY_PATH")
            .arg("-vV"),
    )
}

/// Debian's cargo with Debian's compiler, without the environment variables that rustup's cargo sets.
fn debian_cargo(target: &Path) -> Command {
    let mut cargo = Command::new(DEBIAN_CARGO);
    for name in [
        "LD_LIBRARY_PATH",
        "RUSTUP_TOOLCHAIN",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        cargo.env_remove(name);
    }
    forget_xtask(&mut cargo);
    cargo
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO_TARGET_DIR", target);
    cargo
}

/// The sysroot for the current version of Debian's compiler. Rebuilt after an upgrade.
fn debian_sysroot(workspace: &Workspace) -> Result<WasmCompiler> {
    let sysroot = workspace.target.join("wasm-sysroot");
    let stamp = sysroot.join("compiler-version");
    let version = debian_version()?;
    if fs::read_to_string(&stamp).is_ok_and(|built_by| built_by == version) {
        return Ok(WasmCompiler::Debian { sysroot });
    }
    step(
        &format!("building the standard library for {TARGET}"),
        || {
            if sysroot.exists() {
                fs::remove_dir_all(&sysroot)?;
            }
            let libraries = sysroot.join("lib/rustlib").join(TARGET).join("lib");
            fs::create_dir_all(&libraries)?;
            build_std(workspace, &libraries)?;
            link_host(&sysroot, &version)?;
            fs::write(&stamp, &version)?;
            Ok(())
        },
    )?;
    Ok(WasmCompiler::Debian { sysroot })
}

/// Builds an empty crate together with std and keeps the libraries.
fn build_std(workspace: &Workspace, libraries: &Path) -> Result<()> {
    let scratch = tempfile::tempdir_in(&workspace.target)?;
    let sources = scratch.path().join("src");
    fs::create_dir(&sources)?;
    fs::write(sources.join("lib.rs"), "")?;
    fs::write(
        scratch.path().join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    let built = scratch.path().join("target");
    run_quietly(
        debian_cargo(&built)
            .current_dir(scratch.path())
            .env("RUSTC_BOOTSTRAP", "1")
            // Link-time optimization of the application needs std's bitcode.
            .env("RUSTFLAGS", "-Cembed-bitcode=yes")
            .args([
                "build",
                "--release",
                "--target",
                TARGET,
                "-Zbuild-std=std,panic_abort",
            ]),
    )?;
    for entry in fs::read_dir(built.join(TARGET).join("release/deps"))? {
        let file = entry?.path();
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libempty") {
            fs::copy(&file, libraries.join(name))?;
        }
    }
    if !has_std(libraries) {
        bail!("the build did not produce libstd");
    }
    Ok(())
}

/// Links the host's folder into the sysroot, where the compiler looks for the linker and other tools.
fn link_host(sysroot: &Path, version: &str) -> Result<()> {
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc -vV does not report a host")?;
    let link = sysroot.join("lib/rustlib").join(host);
    #[cfg(unix)]
    std::os::unix::fs::symlink(Path::new("/usr/lib/rustlib").join(host), link)?;
    #[cfg(not(unix))]
    bail!("{} can only be created on Debian", link.display());
    Ok(())
}
