//! Builds the application as WebAssembly, with the JavaScript that starts it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    fingerprint::hex_digest,
    step::{find_program, run, run_quietly, step},
    wasm_target::WasmCompiler,
    workspace::Workspace,
};

/// The version of the npm package `binaryen`, whose `wasm-opt` supports the output of the current compiler.
const BINARYEN: &str = "132.0.0";
const WASM_OPT: [&str; 9] = [
    "-Oz",
    // Inlining makes the file smaller, but its Brotli variant an eighth larger.
    "--skip-pass=inlining",
    "--skip-pass=inlining-optimizing",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-sign-ext",
    "--enable-mutable-globals",
];

/// Starts the islands. Appended to the module of wasm-bindgen.
const START: &str = include_str!("start.js");

/// The files that make the pages interactive in the browser.
pub struct WasmModule {
    /// The WebAssembly module.
    pub wasm: Vec<u8>,
    /// An ES module that fetches `latchkey_bg.wasm` from the same folder.
    pub javascript: String,
}

/// The file name that the JavaScript uses for the module, which is replaced with the final one.
pub const WASM_PLACEHOLDER: &str = "latchkey_bg.wasm";

/// Compiles the application and prepares it for browsers.
pub fn build(workspace: &Workspace, compiler: &WasmCompiler, optimise: bool) -> Result<WasmModule> {
    let compiled = step("compiling the pages to WebAssembly", || {
        compile(workspace, compiler)
    })?;
    let mut module = step("binding WebAssembly to JavaScript", || bind(&compiled))?;
    if optimise {
        match wasm_opt(workspace)? {
            Some(program) => module.wasm = optimised(workspace, &program, &module.wasm)?,
            None => {
                eprintln!(
                    "  npm was not found: WebAssembly is built without wasm-opt, about a fifth larger"
                )
            }
        }
    }
    Ok(module)
}

fn compile(workspace: &Workspace, compiler: &WasmCompiler) -> Result<PathBuf> {
    let (mut cargo, folder) = compiler.cargo(workspace);
    run(cargo.args([
        "build",
        "--quiet",
        "--package",
        "latchkey-app",
        "--lib",
        "--no-default-features",
        "--features",
        "hydrate",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        "wasm",
        "--locked",
    ]))?;
    Ok(folder.join("wasm/latchkey_app.wasm"))
}

fn bind(compiled: &Path) -> Result<WasmModule> {
    let mut output = Bindgen::new()
        .input_path(compiled)
        .out_name("latchkey")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    if output
        .snippets()
        .values()
        .any(|scripts| !scripts.is_empty())
        || !output.local_modules().is_empty()
    {
        bail!("a dependency contains JavaScript snippets, which the site does not support yet");
    }
    let glue = output.js();
    if !glue.contains(WASM_PLACEHOLDER) || !glue.contains("function hydrate(") {
        bail!(
            "the application does not export hydrate(), or the format of wasm-bindgen's JavaScript has changed"
        );
    }
    Ok(WasmModule {
        javascript: without_comments(glue) + &without_comments(START),
        wasm: output.wasm_mut().emit_wasm(),
    })
}

/// Removes documentation comments and indentation from the module.
fn without_comments(javascript: &str) -> String {
    let mut kept = String::with_capacity(javascript.len());
    let mut in_comment = false;
    for line in javascript.lines().map(str::trim) {
        in_comment |= line.starts_with("/**");
        if !in_comment && !line.is_empty() && !line.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
        in_comment &= !line.ends_with("*/");
    }
    kept
}

/// The path of wasm-opt, which npm downloads the first time. `None` if npm is not installed.
fn wasm_opt(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let folder = workspace.tools().join(format!("binaryen-{BINARYEN}"));
    let program = folder.join("node_modules/binaryen/bin/wasm-opt");
    if program.is_file() {
        return Ok(Some(program));
    }
    let Some(npm) = find_program(&["npm"]) else {
        return Ok(None);
    };
    step("fetching wasm-opt with npm", || {
        fs::create_dir_all(&folder)?;
        run_quietly(
            Command::new(npm)
                .args([
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--ignore-scripts",
                    "--prefix",
                ])
                .arg(&folder)
                .arg(format!("binaryen@{BINARYEN}")),
        )
    })?;
    Ok(Some(program))
}

/// Runs wasm-opt. The result is cached under the digest of its input.
fn optimised(workspace: &Workspace, program: &Path, wasm: &[u8]) -> Result<Vec<u8>> {
    let folder = workspace.target.join("wasm-opt");
    fs::create_dir_all(&folder)?;
    let key = hex_digest(format!("{BINARYEN} {WASM_OPT:?} {}", hex_digest(wasm)).as_bytes());
    let result = folder.join(format!("{key}.wasm"));
    if !result.is_file() {
        step("optimising with wasm-opt", || {
            // Remove outdated results.
            for entry in fs::read_dir(&folder)? {
                fs::remove_file(entry?.path())?;
            }
            let input = folder.join("input.wasm");
            let unfinished = folder.join("unfinished.wasm");
            fs::write(&input, wasm)?;
            run_quietly(
                Command::new(program)
                    .args(WASM_OPT)
                    .arg(&input)
                    .arg("-o")
                    .arg(&unfinished),
            )?;
            fs::rename(&unfinished, &result)?;
            Ok(())
        })?;
    }
    fs::read(&result).with_context(|| result.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn comments_go_and_code_stays() {
        let javascript = "// here\n/**\n * @returns {number}\n */\nget size() {\n    return 2 /* bytes */\n        * 3; // six\n}\n/** once */\nlet a;\n";
        assert_eq!(
            without_comments(javascript),
            "get size() {\nreturn 2 /* bytes */\n* 3; // six\n}\nlet a;\n"
        );
    }

    /// Both parts of wasm-bindgen must have the same version to work together.
    #[test]
    fn wasm_bindgen_has_the_version_of_its_command_line() {
        let lock =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
        let version = |package: &str| {
            let (_, rest) = lock
                .split_once(&format!("name = \"{package}\"\nversion = \""))
                .unwrap();
            rest.split('"').next().unwrap()
        };
        assert_eq!(version("wasm-bindgen"), version("wasm-bindgen-cli-support"));
    }
}
