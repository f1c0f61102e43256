//! What a key with some scopes can do, in words.

use latchkey::convention::{Scope, ScopeSetting};

use super::words::listed;

/// The names of a key's scopes; `None` if the convention has none.
pub fn scope_names(
    scopes: &[Scope],
    offered: &[ScopeSetting],
    none_means_all: bool,
) -> Option<String> {
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    match (names.is_empty(), offered.is_empty()) {
        (true, true) => None,
        (true, false) if none_means_all => Some("Full access".to_owned()),
        (true, false) => Some("None".to_owned()),
        (false, _) => Some(names.join(", ")),
    }
}

/// The resource and the level of a scope such as `bots:read`; `None` for one without levels, such as `chat`.
pub fn resource_and_level(scope: &str) -> Option<(&str, &str)> {
    scope
        .split_once(':')
        .filter(|(_, level)| matches!(*level, "read" | "write"))
}

/// A sentence about a key with these scopes, at least one. `admin` is the scope that includes all others.
pub fn what_it_can_do(chosen: &[&str], admin: Option<&str>) -> String {
    if let Some(admin) = admin.filter(|admin| chosen.contains(admin)) {
        return format!("Can do everything: the scope {admin} includes all others.");
    }
    let with = |level: &str| {
        let names = chosen
            .iter()
            .filter_map(|scope| resource_and_level(scope))
            .filter(|(_, of)| *of == level)
            .map(|(resource, _)| resource.replace('-', " "));
        listed(&names.collect::<Vec<_>>())
    };
    let others = chosen
        .iter()
        .filter(|scope| resource_and_level(scope).is_none())
        .map(|scope| (*scope).to_owned());
    let (read, write, others) = (
        with("read"),
        with("write"),
        listed(&others.collect::<Vec<_>>()),
    );
    let has_levels = read.is_some() || write.is_some();
    let levels = if read.is_some() && read == write {
        [("read and write", read.clone()), ("write", None)]
    } else {
        [("read", read.clone()), ("write", write.clone())]
    };
    let can = [("use", others)].into_iter().chain(levels);
    let can: Vec<String> = can
        .filter_map(|(verb, names)| Some(format!("{verb} {}", names?)))
        .collect();
    let cannot = match (read, write) {
        (_, None) if has_levels => "cannot write anything",
        (None, _) if has_levels => "cannot read anything",
        _ => "nothing else",
    };
    format!("Can {}; {cannot}.", can.join(", and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_a_key_can_do_and_what_not() {
        for (scopes, sentence) in [
            (
                &["bots:read", "conversations:read"][..],
                "Can read bots and conversations; cannot write anything.",
            ),
            (
                &["agent-loops:write"],
                "Can write agent loops; cannot read anything.",
            ),
            (
                &[
                    "bots:read",
                    "bots:write",
                    "channels:read",
                    "integrations:read",
                ],
                "Can read bots, channels and integrations, and write bots; nothing else.",
            ),
            (
                &["bots:read", "bots:write"],
                "Can read and write bots; nothing else.",
            ),
            (
                &["chat", "config"],
                "Can use chat and config; nothing else.",
            ),
            (
                &["chat", "bots:read"],
                "Can use chat, and read bots; cannot write anything.",
            ),
            (
                &["bots:read", "admin"],
                "Can do everything: the scope admin includes all others.",
            ),
        ] {
            assert_eq!(what_it_can_do(scopes, Some("admin")), sentence);
        }
    }
}
