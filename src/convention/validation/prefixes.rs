//! Validates that each prefix identifies the kind and environment of a key.

use super::{InvalidSetting, invalid};
use crate::convention::Convention;

const MAX_PREFIX_CHARACTERS: usize = 32;

/// Checks that every prefix is well formed and that no key can be mistaken for a key with another prefix.
pub(super) fn check(convention: &Convention) -> Result<(), InvalidSetting> {
    let own = &convention.prefixes;
    let mut all = vec![(
        vec!["prefixes".to_owned(), "secret_live".to_owned()],
        own.secret_live.as_str(),
    )];
    let optional = [
        ("secret_test", &own.secret_test),
        ("widget_live", &own.widget_live),
        ("widget_test", &own.widget_test),
    ];
    for (field, prefix) in optional {
        if field != "secret_test" && prefix.as_deref() == Some("") {
            return invalid(
                ["prefixes", field],
                "widget keys must have a prefix that identifies them in pages",
            );
        }
        all.extend(
            prefix
                .as_deref()
                .map(|prefix| (vec!["prefixes".to_owned(), field.to_owned()], prefix)),
        );
    }
    let legacy = &convention.legacy_prefixes;
    for (field, list) in [("live", &legacy.live), ("test", &legacy.test)] {
        for (index, prefix) in list.iter().enumerate() {
            let path = vec![
                "legacy_prefixes".to_owned(),
                field.to_owned(),
                index.to_string(),
            ];
            if prefix.is_empty() {
                return Err(InvalidSetting {
                    path,
                    reason: "a legacy prefix is not empty".to_owned(),
                });
            }
            all.push((path, prefix));
        }
    }
    for (index, (path, prefix)) in all.iter().enumerate() {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if prefix.len() > MAX_PREFIX_CHARACTERS || !prefix.bytes().all(allowed) {
            let reason = format!(
                "a prefix is at most {MAX_PREFIX_CHARACTERS} of the characters a–z, 0–9 and `_`"
            );
            return Err(InvalidSetting {
                path: path.clone(),
                reason,
            });
        }
        let earlier = all
            .iter()
            .take(index)
            .find(|(_, earlier)| may_be_confused(earlier, prefix));
        if let Some((_, earlier)) = earlier {
            let reason = format!(
                "a key that begins with `{prefix}` could be taken for one that begins with `{earlier}`"
            );
            return Err(InvalidSetting {
                path: path.clone(),
                reason,
            });
        }
    }
    Ok(())
}

/// Whether the random characters after one prefix could spell the rest of the other. Base62 has no underscore.
fn may_be_confused(one: &str, other: &str) -> bool {
    let rest = one.strip_prefix(other).or_else(|| other.strip_prefix(one));
    rest.is_some_and(|rest| !rest.contains('_'))
}
