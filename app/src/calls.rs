//! The server functions that the islands call. Each runs one operation, which the handler of a page's form can also
//! run.

use leptos::prelude::*;

use crate::{
    error::AppError,
    values::{
        first_steps::FirstSteps,
        found::Found,
        key_domains::{DomainsAnswer, DomainsForm},
        key_form::SettingsForm,
        progress::Progress,
        rotation::RotateKeyForm,
        shown_once::KeyAnswer,
        usage::ShownUsage,
    },
};

/// Returns whether the last change of a key is in effect on every instance. `org` is the organization's slug.
#[server(prefix = "/api", endpoint = "keys/in-effect")]
pub async fn in_effect(org: String, key: String) -> Result<Progress, AppError> {
    use crate::operations::{answer, in_effect::in_effect};
    answer(async |request| in_effect(request, &org, &key).await).await
}

/// Returns what an organization has done on the way to its first request. `org` is its slug.
#[server(prefix = "/api", endpoint = "first-steps")]
pub async fn steps_done(org: String) -> Result<FirstSteps, AppError> {
    use crate::operations::{
        answer,
        first_steps::{first_steps, last_used},
        seen_steps,
    };
    answer(async |request| {
        let mut now = first_steps(&request, &org).await?;
        if now.request {
            seen_steps::forget(&org);
            now.used = last_used(&request, &org).await?;
        }
        Ok(now)
    })
    .await
}

/// Validates a list of domains and returns the error messages.
#[server(prefix = "/api", endpoint = "domains/check")]
pub async fn check_domains(text: String) -> Result<Vec<String>, AppError> {
    use crate::operations::{answer, check_domains::check_domains};
    answer(async |request| check_domains(request, &text).await).await
}

/// Changes the allowed domains of a widget key. `org` is the organization's slug.
#[server(prefix = "/api", endpoint = "domains/edit")]
pub async fn edit_domains(
    org: String,
    key: String,
    form: DomainsForm,
) -> Result<DomainsAnswer, AppError> {
    use crate::operations::{answer, edit_domains::edit_domains};
    answer(async |request| edit_domains(&request, &org, &key, &form).await).await
}

/// Returns the usage page of an organization with a query. `org` is its slug.
#[server(prefix = "/api", endpoint = "usage")]
pub async fn usage(org: String, query: String) -> Result<ShownUsage, AppError> {
    use crate::{operations::answer, pages::usage::shown_usage};
    answer(async |request| shown_usage(&request, &org, &query).await).await
}

/// Creates a key. `org` is the organization's slug.
#[server(prefix = "/api", endpoint = "keys/create")]
pub async fn create_key(org: String, form: SettingsForm) -> Result<KeyAnswer, AppError> {
    use crate::{
        operations::{answer, create_key::create_key},
        pages::keys::shown_once::for_island,
    };
    answer(async |request| {
        let outcome = create_key(request, &org, form).await?;
        Ok(for_island(outcome))
    })
    .await
}

/// Rotates a key. `org` is the organization's slug.
#[server(prefix = "/api", endpoint = "keys/rotate")]
pub async fn rotate_key(
    org: String,
    key: String,
    form: RotateKeyForm,
) -> Result<KeyAnswer, AppError> {
    use crate::{
        operations::{answer, rotate_key::rotate_key},
        pages::keys::shown_once::for_island,
    };
    answer(async |request| {
        let outcome = rotate_key(request, &org, &key, form).await?;
        Ok(for_island(outcome))
    })
    .await
}

/// Searches an organization for everything with `text` in its name. `org` is its slug.
#[server(prefix = "/api", endpoint = "find")]
pub async fn find(org: String, text: String) -> Result<Vec<Found>, AppError> {
    use crate::operations::{answer, find::find};
    answer(async |request| find(request, &org, &text).await).await
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// The source code of every island.
    fn islands(folder: &Path) -> String {
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let texts = entries.map(|path| {
            if path.is_dir() {
                islands(&path)
            } else {
                fs::read_to_string(path).unwrap()
            }
        });
        texts.collect()
    }

    #[test]
    fn every_server_function_is_called_by_an_island() {
        let islands = islands(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/islands"));
        let file = include_str!("calls.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        let functions = file.split("#[server(").skip(1);
        let names = functions.map(|text| text.split("pub async fn ").nth(1).unwrap());
        for name in names.map(|text| text.split('(').next().unwrap()) {
            assert!(
                islands.contains(&format!("{name}(")),
                "no island calls {name}"
            );
        }
        assert!(
            !islands.contains("#[server("),
            "server functions are in calls.rs"
        );
    }
}
