//! `target/site/`: every file that the server embeds, under its final name, with its compressed variants and a
//! manifest.
//!
//! The manifest `manifest.tsv` starts with a line `# quick` or `# release`. Each further line contains the URL's path,
//! a tab, and the first 16 hexadecimal digits of the file's SHA-256. The Brotli and gzip variants are stored next to
//! each file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    compression::{brotli, gzip, is_compressible},
    fingerprint::{self, files_below, hex_digest},
    level::Level,
    step::step,
    style, wasm,
    wasm_target::WasmCompiler,
    workspace::Workspace,
};

/// All inputs of the site, including the code that builds it.
pub const INPUTS: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "app",
    "style",
    "public",
    "xtask/src",
];

/// File contents by final URL path.
type Files = BTreeMap<String, Vec<u8>>;

/// Builds the site if any of its inputs has changed, or if `level` requires smaller files.
pub fn ensure(workspace: &Workspace, level: Level) -> Result<()> {
    let compiler = WasmCompiler::find(workspace)?;
    let inputs = fingerprint::of(&workspace.root, &INPUTS, &compiler.version()?)?;
    let stamp_file = workspace.site().join("stamp");
    let stamp = |level: Level| format!("{inputs} {}", level.name());
    let existing = fs::read_to_string(&stamp_file).unwrap_or_default();
    // A release build of the site can be used for a quick run, but not the other way around.
    if existing == stamp(Level::Release) || existing == stamp(level) {
        return Ok(());
    }
    let module = wasm::build(workspace, &compiler, level == Level::Release)?;
    step("assembling the site", || {
        let files = gather(&workspace.root, module)?;
        write(&workspace.site(), &files, level)
    })?;
    fs::write(&stamp_file, stamp(level))?;
    Ok(())
}

/// The sizes in bytes of the files that a first visit loads (WebAssembly, JavaScript, CSS): file name, uncompressed,
/// Brotli.
pub fn bundle_sizes(workspace: &Workspace) -> Result<Vec<(String, u64, u64)>> {
    let mut sizes = Vec::new();
    for file in files_below(&workspace.site().join("assets"))? {
        let extension = file
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if ["wasm", "js", "css"].contains(&extension.as_str()) {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let brotli = fs::metadata(with_suffix(&file, "br"))?.len();
            sizes.push((name, fs::metadata(&file)?.len(), brotli));
        }
    }
    Ok(sizes)
}

fn gather(root: &Path, module: wasm::WasmModule) -> Result<Files> {
    let mut files = Files::new();
    let mut renamed = BTreeMap::new();
    let public = root.join("public");
    for file in files_below(&public)? {
        let name = file
            .strip_prefix(&public)?
            .to_string_lossy()
            .replace('\\', "/");
        let content = fs::read(&file)?;
        let path = public_path(&name, &content);
        renamed.insert(format!("/{name}"), path.clone());
        files.insert(path, content);
    }
    let css = style::bundle(&root.join("style/main.css"), |url| {
        if url.starts_with("data:") || url.starts_with('#') {
            return Ok(url.to_owned());
        }
        renamed
            .get(url)
            .cloned()
            .with_context(|| format!("url({url}) does not refer to a file in public/"))
    })?;
    add_hashed(&mut files, "latchkey.css", css.into_bytes());
    let wasm = add_hashed(&mut files, "latchkey.wasm", module.wasm);
    let wasm_name = wasm.trim_start_matches("/assets/");
    let javascript = module.javascript.replace(wasm::WASM_PLACEHOLDER, wasm_name);
    add_hashed(&mut files, "latchkey.js", javascript.into_bytes());
    Ok(files)
}

/// The URL path of a file in `public/`: its own path if browsers or users expect it there, or else a path with a
/// content hash.
fn public_path(name: &str, content: &[u8]) -> String {
    if name.ends_with(".txt") || name.starts_with("favicon.") {
        format!("/{name}")
    } else {
        hashed_path(name.rsplit('/').next().unwrap_or(name), content)
    }
}

fn add_hashed(files: &mut Files, name: &str, content: Vec<u8>) -> String {
    let path = hashed_path(name, &content);
    files.insert(path.clone(), content);
    path
}

fn hashed_path(name: &str, content: &[u8]) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
    format!("/assets/{stem}.{}.{extension}", short_digest(content))
}

fn short_digest(content: &[u8]) -> String {
    hex_digest(content).chars().take(16).collect()
}

/// Writes all files, unless they are unchanged: touching them would cause the server to be recompiled.
fn write(site: &Path, files: &Files, level: Level) -> Result<()> {
    let mut manifest = format!("# {}\n", level.name());
    for (path, content) in files {
        manifest.push_str(&format!("{path}\t{}\n", short_digest(content)));
    }
    let manifest_file = site.join("manifest.tsv");
    if fs::read_to_string(&manifest_file).is_ok_and(|existing| existing == manifest) {
        return Ok(());
    }
    if site.exists() {
        fs::remove_dir_all(site)?;
    }
    for (path, content) in files {
        let file = site.join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().unwrap_or(site))?;
        fs::write(&file, content)?;
        if is_compressible(path) {
            fs::write(with_suffix(&file, "br"), brotli(content, level)?)?;
            fs::write(with_suffix(&file, "gz"), gzip(content)?)?;
        }
    }
    fs::write(manifest_file, manifest)?;
    Ok(())
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_looked_for_by_name_keeps_its_name() {
        assert_eq!(public_path("robots.txt", b""), "/robots.txt");
        assert_eq!(public_path("favicon.svg", b""), "/favicon.svg");
        assert_eq!(public_path("fonts/LICENSE.txt", b""), "/fonts/LICENSE.txt");
        assert_eq!(
            public_path("caret.svg", b"abc"),
            "/assets/caret.ba7816bf8f01cfea.svg"
        );
        assert_eq!(
            public_path("fonts/sans.woff2", b"abc"),
            "/assets/sans.ba7816bf8f01cfea.woff2"
        );
    }

    #[test]
    fn the_module_that_starts_the_pages_asks_for_the_final_name_of_the_webassembly() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("style")).unwrap();
        fs::write(root.path().join("style/main.css"), "a { color: red }").unwrap();
        let module = wasm::WasmModule {
            wasm: b"abc".to_vec(),
            javascript: "new URL('latchkey_bg.wasm', import.meta.url)".to_owned(),
        };
        let files = gather(root.path(), module).unwrap();
        let javascript = files
            .iter()
            .find(|(path, _)| path.ends_with(".js"))
            .unwrap()
            .1;
        assert_eq!(
            javascript,
            b"new URL('latchkey.ba7816bf8f01cfea.wasm', import.meta.url)"
        );
        assert!(files.contains_key("/assets/latchkey.ba7816bf8f01cfea.wasm"));
    }

    #[test]
    fn an_unchanged_site_is_not_touched_and_an_old_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        let files = |text: &str| {
            Files::from([(format!("/assets/{text}.css"), text.repeat(100).into_bytes())])
        };
        write(&site, &files("a"), Level::Quick).unwrap();
        let marker = site.join("assets/a.css");
        fs::write(&marker, "as found").unwrap();
        write(&site, &files("a"), Level::Quick).unwrap();
        assert_eq!(fs::read_to_string(&marker).unwrap(), "as found");
        write(&site, &files("b"), Level::Quick).unwrap();
        assert!(!marker.exists() && site.join("assets/b.css.br").exists());
    }
}
