//! Finds circles of imports: files that need each other cannot be read one after the other.
//!
//! A file and the files in the folder of its name count as one: a module may name its parts, and they may name it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Result, bail};

use crate::fingerprint::files_below;

/// The folders of the crates, by the names that other crates import them under.
const CRATES: [(&str, &str); 4] = [
    ("latchkey", "src"),
    ("latchkey_app", "app/src"),
    ("latchkey_server", "server/src"),
    ("xtask", "xtask/src"),
];

/// The crate and the names of the modules down to a file: `["latchkey", "keys", "create"]`.
type Module = Vec<String>;

/// Fails if files of the workspace import each other, directly or through others.
pub fn check(root: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    for (name, folder) in CRATES {
        let folder = root.join(folder);
        for file in files_below(&folder)? {
            let path = file.strip_prefix(&folder)?.to_string_lossy().into_owned();
            if let Some(path) = path.strip_suffix(".rs") {
                let names = path
                    .split(['/', '\\'])
                    .filter(|name| !["lib", "main"].contains(name));
                let module = [name].into_iter().chain(names).map(str::to_owned).collect();
                files.insert(module, fs::read_to_string(&file)?);
            }
        }
    }
    match circle(&imports(&files)) {
        Some(circle) => bail!("these files import each other in a circle: {circle}"),
        None => Ok(()),
    }
}

/// The modules that each module imports.
fn imports(files: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let imported = |module| {
        let (text, mut found) = (code(&files[module]), BTreeSet::new());
        for path in paths(&text) {
            let target = absolute(module, &path).and_then(|path| file_of(files, &path));
            found.extend(target.filter(|of| !of.starts_with(module) && !module.starts_with(of)));
        }
        found
    };
    files
        .keys()
        .map(|module| (module, imported(module)))
        .collect()
}

/// A file without its comments and its tests, which stand at its end.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\n#[cfg(feature = \"native\")]\nmod tests {");
    let end = end.or_else(|| text.find("#[cfg(test)]\nmod tests {"));
    let lines = text[..end.unwrap_or(text.len())].lines();
    lines
        .map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n")
        .collect()
}

/// Every path in the code that begins with the name of a crate, `crate`, `self` or `super`.
fn paths(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("::") {
        let before = &rest[..at];
        let start = before
            .rfind(|c: char| !is_in_name(c))
            .map_or(0, |at| at + 1);
        let first = &before[start..];
        let is_root = ["crate", "self", "super"].contains(&first)
            || CRATES.iter().any(|(name, _)| *name == first);
        rest = &rest[at..];
        rest = if is_root {
            tree(rest, vec![first.to_owned()], &mut found)
        } else {
            &rest[2..]
        };
    }
    found
}

/// Reads `::a::b` or `::{a, b::c}` after `prefix`, and returns what follows.
fn tree<'a>(mut rest: &'a str, mut prefix: Module, found: &mut Vec<Module>) -> &'a str {
    while let Some(after) = rest.strip_prefix("::") {
        rest = after;
        if let Some(mut group) = rest.strip_prefix('{') {
            loop {
                group = group.trim_start_matches([' ', '\n', ',']);
                let end = group.find(|c| !is_in_name(c)).unwrap_or(group.len());
                if end == 0 {
                    return group.strip_prefix('}').unwrap_or(group);
                }
                let name = group[..end].to_owned();
                let path = prefix.iter().cloned().chain([name]).collect();
                group = tree(&group[end..], path, found);
                // `as other`
                group = group.trim_start_matches(|c| is_in_name(c) || c == ' ');
            }
        }
        let end = rest.find(|c| !is_in_name(c)).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        prefix.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    found.push(prefix);
    rest
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A path from `module` as a path from its crate; `None` if it leads out of the crate.
fn absolute(module: &Module, path: &[String]) -> Option<Module> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let base = match path.first()?.as_str() {
        "crate" => &module[..1],
        "self" => &module[..],
        "super" => module.get(..module.len().checked_sub(ups)?)?,
        _ => &[],
    };
    let skipped = if base.is_empty() { 0 } else { ups.max(1) };
    Some([base, &path[skipped..]].concat())
}

/// The file that defines what a path names: the longest beginning of the path that is a module.
fn file_of<'a>(files: &'a BTreeMap<Module, String>, path: &[String]) -> Option<&'a Module> {
    let mut beginnings = (1..=path.len()).rev();
    beginnings
        .find_map(|end| files.get_key_value(&path[..end]))
        .map(|(module, _)| module)
}

/// One circle, as text.
fn circle(imports: &BTreeMap<&Module, BTreeSet<&Module>>) -> Option<String> {
    let mut left = imports.clone();
    // What imports nothing that is left is in no circle.
    while let Some(free) = left
        .iter()
        .find(|(_, of)| of.iter().all(|of| !left.contains_key(of)))
        .map(|(module, _)| *module)
    {
        left.remove(free);
    }
    let mut way: Vec<&Module> = vec![left.keys().next()?];
    loop {
        let next = left[way[way.len() - 1]]
            .iter()
            .find(|of| left.contains_key(**of))?;
        let is_seen = way.iter().position(|module| module == next);
        way.push(next);
        if let Some(first) = is_seen {
            let names: Vec<String> = way[first..]
                .iter()
                .map(|module| module.join("::"))
                .collect();
            return Some(names.join(" → "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<String> {
        let files = files.iter().map(|(path, text)| {
            (
                path.split("::").map(str::to_owned).collect(),
                (*text).to_owned(),
            )
        });
        circle(&imports(&files.collect()))
    }

    #[test]
    fn files_that_need_each_other_are_a_circle() {
        let direct = [
            ("latchkey::a", "use crate::{b::{self, Thing}, c};"),
            ("latchkey::b", "fn f() -> super::a::Other {}"),
            ("latchkey::c", ""),
        ];
        assert_eq!(
            found(&direct).unwrap(),
            "latchkey::a → latchkey::b → latchkey::a"
        );
        let through_others = [
            ("latchkey::a", "use latchkey::b;"),
            ("latchkey::b", "use super::c::d::Thing as Other;"),
            ("latchkey::c", ""),
            ("latchkey::c::d", "use crate::{x::Y, a::Z};"),
        ];
        assert_eq!(
            found(&through_others).unwrap(),
            "latchkey::a → latchkey::b → latchkey::c::d → latchkey::a"
        );
    }

    #[test]
    fn a_module_and_its_parts_comments_and_tests_are_no_circle() {
        let files = [
            (
                "latchkey::a",
                "use self::part::One;\n// crate::b::Two\nuse crate::b;",
            ),
            ("latchkey::a::part", "use super::Two;"),
            (
                "latchkey::b",
                "fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::a::One; }",
            ),
        ];
        assert_eq!(found(&files), None);
    }
}
