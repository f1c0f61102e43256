//! Validates that the settings of a convention are consistent.

mod prefixes;

use std::collections::BTreeSet;

use super::{Convention, ExpirySettings, KeyHeader, KindNames};

/// An invalid setting and its location.
#[derive(Debug)]
pub(super) struct InvalidSetting {
    /// Keys and list indexes from the root of the file.
    pub path: Vec<String>,
    pub reason: String,
}

fn invalid<const N: usize>(
    path: [&str; N],
    reason: impl Into<String>,
) -> Result<(), InvalidSetting> {
    Err(InvalidSetting {
        path: path.map(str::to_owned).to_vec(),
        reason: reason.into(),
    })
}

/// Returns the first invalid setting, in the order in which the fields are documented.
pub(super) fn check(convention: &Convention) -> Result<(), InvalidSetting> {
    names(convention)?;
    prefixes::check(convention)?;
    text(convention)?;
    headers(&convention.accepted_in)?;
    scopes(convention)?;
    domains(convention)?;
    expiry(&convention.expiry)?;
    classes(convention)?;
    environment_variables(convention)
}

fn names(convention: &Convention) -> Result<(), InvalidSetting> {
    if !is_name(&convention.name) {
        return invalid(["name"], "a name must consist of a–z, 0–9 and `-`");
    }
    if convention.title.trim().is_empty() {
        return invalid(["title"], "the title is empty");
    }
    let KindNames { secret, widget } = &convention.kind_names;
    for (field, name) in [("secret", secret), ("widget", widget)] {
        if name.trim().is_empty() {
            return invalid(["kind_names", field], "a kind must have a name");
        }
    }
    if secret == widget {
        return invalid(["kind_names", "widget"], "both kinds have the same name");
    }
    if convention
        .keys_page
        .as_ref()
        .is_some_and(|path| !is_path(path))
    {
        return invalid(
            ["keys_page"],
            "a path must consist of `/` and segments of a–z, 0–9 and `-`",
        );
    }
    Ok(())
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_path(text: &str) -> bool {
    text.strip_prefix('/')
        .is_some_and(|segments| segments.split('/').all(is_name))
}

/// At least 26 Base62 characters are needed for 150 bits (design §3).
const RANDOM_CHARACTERS: std::ops::RangeInclusive<u8> = 26..=120;
/// Showing more characters than this after the prefix would reveal too much of the secret.
const SHOWN_AFTER_PREFIX: usize = 8;

fn text(convention: &Convention) -> Result<(), InvalidSetting> {
    if !RANDOM_CHARACTERS.contains(&convention.random_characters) {
        return invalid(
            ["random_characters"],
            "26 to 120 random characters: fewer can be guessed",
        );
    }
    let shortest = convention
        .prefixes()
        .map(|(prefix, ..)| prefix.len())
        .min()
        .unwrap_or_default();
    if convention
        .display_front
        .is_some_and(|shown| usize::from(shown) > shortest + SHOWN_AFTER_PREFIX)
    {
        return invalid(
            ["display_front"],
            "this shows more than eight characters of a key's secret part",
        );
    }
    Ok(())
}

fn headers(headers: &[KeyHeader]) -> Result<(), InvalidSetting> {
    if headers.is_empty() {
        return invalid(["accepted_in"], "at least one header must be accepted");
    }
    let mut seen = BTreeSet::new();
    for (index, header) in headers.iter().enumerate() {
        let path = ["accepted_in", &index.to_string()];
        let name = match header {
            KeyHeader::Bearer => "authorization",
            KeyHeader::Named(name) => name,
        };
        // Token characters as defined by RFC 9110, section 5.6.2.
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return invalid(path, format!("`{name}` is not the name of a header"));
        }
        if matches!(header, KeyHeader::Named(name) if name.eq_ignore_ascii_case("authorization")) {
            return invalid(path, "write `Bearer` for the Authorization header");
        }
        if !seen.insert(name.to_ascii_lowercase()) {
            return invalid(path, "this header appears twice");
        }
    }
    Ok(())
}

fn scopes(convention: &Convention) -> Result<(), InvalidSetting> {
    let mut offered = BTreeSet::new();
    for (index, scope) in convention.scopes.iter().enumerate() {
        if !offered.insert(&scope.name) {
            return invalid(
                ["scopes", &index.to_string(), "name"],
                format!("the scope `{}` appears twice", scope.name),
            );
        }
    }
    if let Some(admin) = convention
        .admin_scope
        .as_ref()
        .filter(|admin| !offered.contains(admin))
    {
        return invalid(
            ["admin_scope"],
            format!("`{admin}` is not one of the scopes"),
        );
    }
    for (index, scope) in convention.browser_scopes.iter().enumerate() {
        if !offered.contains(scope) {
            return invalid(
                ["browser_scopes", &index.to_string()],
                format!("`{scope}` is not one of the scopes"),
            );
        }
        if convention.admin_scope.as_ref() == Some(scope) {
            return invalid(
                ["browser_scopes", &index.to_string()],
                format!("`{scope}` means all: not in a browser"),
            );
        }
    }
    for (index, scope) in convention.public_agent_scopes.iter().enumerate() {
        if !offered.contains(scope) {
            return invalid(
                ["public_agent_scopes", &index.to_string()],
                format!("`{scope}` is not one of the scopes"),
            );
        }
    }
    let mut presets = BTreeSet::new();
    for (index, preset) in convention.scope_presets.iter().enumerate() {
        let index = index.to_string();
        if preset.name.trim().is_empty() || !presets.insert(&preset.name) {
            return invalid(
                ["scope_presets", &index, "name"],
                "each preset must have its own name",
            );
        }
        if let Some(unknown) = preset.scopes.iter().find(|scope| !offered.contains(scope)) {
            return invalid(
                ["scope_presets", &index, "scopes"],
                format!("`{unknown}` is not one of the scopes"),
            );
        }
    }
    Ok(())
}

fn domains(convention: &Convention) -> Result<(), InvalidSetting> {
    use crate::domain::LocalhostRule::Always;
    if convention.domains.localhost_switch && convention.domains.localhost != Always {
        return invalid(
            ["domains", "localhost_switch"],
            "only where localhost is `always` allowed can a key forbid it",
        );
    }
    Ok(())
}

fn expiry(expiry: &ExpirySettings) -> Result<(), InvalidSetting> {
    if !expiry
        .offered_days
        .is_sorted_by(|shorter, longer| shorter < longer)
    {
        return invalid(
            ["expiry", "offered_days"],
            "write each length once, the shortest first",
        );
    }
    match expiry.default_days {
        Some(days) if !expiry.offered_days.contains(&days) => invalid(
            ["expiry", "default_days"],
            "the default is not one of `offered_days`",
        ),
        None if !expiry.never => invalid(
            ["expiry"],
            "without `default_days` keys never expire, but `never` is false",
        ),
        _ => Ok(()),
    }
}

fn classes(convention: &Convention) -> Result<(), InvalidSetting> {
    if let Some(class) = convention.classes.keys().find(|class| !is_name(class)) {
        return invalid(["classes", class], "a class is named with a–z, 0–9 and `-`");
    }
    if !convention.classes.contains_key(&convention.default_class) {
        return invalid(
            ["default_class"],
            format!("`{}` is not one of the classes", convention.default_class),
        );
    }
    Ok(())
}

fn environment_variables(convention: &Convention) -> Result<(), InvalidSetting> {
    let variables = &convention.environment_variables;
    let named = [
        ("secret_test", &variables.secret_test),
        ("widget", &variables.widget),
    ];
    let named = named
        .into_iter()
        .filter_map(|(field, name)| Some((field, name.as_deref()?)));
    for (field, name) in [("secret", variables.secret.as_str())]
        .into_iter()
        .chain(named)
    {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty()
            || name.starts_with(|first: char| first.is_ascii_digit())
            || !name.bytes().all(allowed)
        {
            return invalid(
                ["environment_variables", field],
                "a variable is named with A–Z, 0–9 and `_`",
            );
        }
    }
    Ok(())
}
