//! Embeds the site that `cargo xtask` built: converts its manifest to a table of `include_bytes!`.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let output = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=LATCHKEY_SITE");
    let site = match env::var_os("LATCHKEY_SITE") {
        Some(folder) => PathBuf::from(folder),
        // OUT_DIR is TARGET/PROFILE/build/PACKAGE/out.
        None => output
            .ancestors()
            .nth(4)
            .ok_or("OUT_DIR is not below a target folder")?
            .join("site"),
    };
    let manifest = site.join("manifest.tsv");
    if !manifest.exists() {
        // Cargo would run this script at every build as long as the file it watches is missing.
        fs::create_dir_all(&site)?;
        fs::write(&manifest, "")?;
    }
    println!("cargo::rerun-if-changed={}", manifest.display());
    fs::write(
        output.join("assets.rs"),
        table(&site, &fs::read_to_string(&manifest)?)?,
    )?;
    Ok(())
}

fn table(site: &Path, manifest: &str) -> Result<String, Box<dyn Error>> {
    let mut lines: Vec<(&str, &str)> = manifest
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect();
    lines.sort_unstable();
    let mut rust = String::from("static ASSETS: &[Asset] = &[\n");
    for (path, digest) in &lines {
        let file = site.join(path.trim_start_matches('/'));
        let file = file
            .to_str()
            .ok_or("the target folder's name is not UTF-8")?;
        let compressed = |suffix: &str| {
            let file = format!("{file}.{suffix}");
            if Path::new(&file).exists() {
                format!("Some(include_bytes!({file:?}))")
            } else {
                "None".to_owned()
            }
        };
        writeln!(
            rust,
            "    Asset {{ path: {path:?}, digest: {digest:?}, identity: include_bytes!({file:?}), brotli: {}, gzip: {} }},",
            compressed("br"),
            compressed("gz"),
        )?;
    }
    let first = |begin: &str, end: &str| {
        lines
            .iter()
            .map(|(path, _)| *path)
            .find(|path| path.starts_with(begin) && path.ends_with(end))
            .unwrap_or("")
    };
    let fonts: Vec<&str> = lines
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| path.ends_with(".woff2"))
        .collect();
    writeln!(
        rust,
        "];\nstatic NAMES: AssetNames = AssetNames {{ css: {:?}, js: {:?}, favicon: {:?}, fonts: &{fonts:?} }};",
        first("/assets/latchkey.", ".css"),
        first("/assets/latchkey.", ".js"),
        first("/favicon.", ""),
    )?;
    Ok(rust)
}
