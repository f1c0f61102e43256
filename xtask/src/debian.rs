//! Installs system packages on Debian and its derivatives.

use std::process::Command;

use anyhow::{Result, bail};

use crate::step::{find_program, output, run_quietly, step};

/// Installs packages as root, or with `sudo` if it needs no password. Otherwise, fails with the command to run.
pub fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find_program(&["apt-get"]).is_none() {
        bail!("this system does not use apt-get: install the equivalent of Debian's {names}");
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if run_quietly(Command::new("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        bail!("please run: sudo apt-get install {names}");
    };
    step(&format!("installing {names} with apt-get"), || {
        if apt_get(prefix, &[&["install"], packages].concat()).is_ok() {
            return Ok(());
        }
        // An outdated package list refers to files that no longer exist.
        apt_get(prefix, &["update"])?;
        apt_get(prefix, &[&["install"], packages].concat())
    })
}

/// Whether xtask runs as root.
pub fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    let mut words = prefix.to_vec();
    words.extend([
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-y",
        "-q",
        "--no-install-recommends",
    ]);
    words.extend(["-o", "DPkg::Lock::Timeout=900"]);
    words.extend(arguments);
    run_quietly(Command::new(words[0]).args(&words[1..]))
}
