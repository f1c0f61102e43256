//! Bundles the stylesheets in `style/`.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    dependencies::{Dependency, DependencyOptions},
    printer::PrinterOptions,
    stylesheet::{MinifyOptions, ParserOptions},
    targets::{Browsers, Targets},
};

/// Bundles and minifies a stylesheet with its imports. `rename` maps each URL in it to the final one.
pub fn bundle(entry: &Path, rename: impl Fn(&str) -> Result<String>) -> Result<String> {
    let targets = Targets::from(browsers());
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler.bundle(entry).map_err(|error| anyhow!("{error}"))?;
    sheet
        .minify(MinifyOptions {
            targets,
            ..MinifyOptions::default()
        })
        .map_err(|error| anyhow!("{error}"))?;
    let printed = sheet.to_css(PrinterOptions {
        minify: true,
        targets,
        analyze_dependencies: Some(DependencyOptions {
            remove_imports: false,
        }),
        ..PrinterOptions::default()
    })?;
    let mut css = printed.code;
    for dependency in printed.dependencies.into_iter().flatten() {
        if let Dependency::Url(url) = dependency {
            let renamed = rename(&url.url)
                .with_context(|| format!("{}:{}", url.loc.file_path, url.loc.start.line))?;
            css = css.replace(&url.placeholder, &renamed);
        }
    }
    Ok(css)
}

/// The oldest browsers that support `light-dark()`, nesting and `:has()`, so that none of these is transformed.
fn browsers() -> Browsers {
    let version = |major: u32, minor: u32| Some(major << 16 | minor << 8);
    Browsers {
        chrome: version(125, 0),
        edge: version(125, 0),
        firefox: version(128, 0),
        safari: version(17, 5),
        ios_saf: version(17, 5),
        ..Browsers::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_inlined_urls_renamed_and_light_dark_kept() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "main.css",
            "@import \"tokens.css\";\n@font-face { font-family: F; src: url(/fonts/f.woff2) }",
        );
        write(
            "tokens.css",
            ":root { color-scheme: light dark; --ink: light-dark(#111111, #eeeeee) }",
        );
        let css = bundle(&folder.path().join("main.css"), |url| {
            assert_eq!(url, "/fonts/f.woff2");
            Ok("/assets/f.0123.woff2".to_owned())
        })
        .unwrap();
        assert!(css.contains("light-dark(#111,#eee)"), "{css}");
        assert!(css.contains("/assets/f.0123.woff2"), "{css}");
        assert!(!css.contains("@import") && !css.contains('\n'), "{css}");
    }

    #[test]
    fn a_url_without_a_file_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let entry = folder.path().join("main.css");
        std::fs::write(&entry, "a {}\nb { background: url(/gone.png) }").unwrap();
        let error = bundle(&entry, |_| Err(anyhow!("no such file"))).unwrap_err();
        assert!(format!("{error:#}").contains("main.css:2"), "{error:#}");
    }
}
