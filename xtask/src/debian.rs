//! Bringing system packages on Debian and its relatives.

use std::process::Command;

use anyhow::{Result, bail};

use crate::step::{find_program, output, run_quietly, step};

/// Installs packages, as root or by `sudo` where it asks for no password; otherwise says what to install.
pub fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find_program(&["apt-get"]).is_none() {
        bail!("this is not a Debian-like system: please install what Debian calls {names}");
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if run_quietly(Command::new("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        bail!("please run: sudo apt-get install {names}");
    };
    step(&format!("installing {names} by apt-get"), || {
        if apt_get(prefix, &[&["install"], packages].concat()).is_ok() {
            return Ok(());
        }
        // A list of packages that is out of date names files that no longer exist.
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
