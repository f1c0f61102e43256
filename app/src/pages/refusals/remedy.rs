//! What can be done about a rejected request: the page where its owner changes what rejected it.

use latchkey::{outcome::Outcome, refusals::Refusal};

use crate::{pages::keys::edit::adding_path, text::query::query_of};

/// A link to what can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// "Add shop.example".
    pub text: String,
    pub href: String,
}

/// The remedy of a refusal in the organization with this slug. `None` if its client has to send something else.
pub fn remedy(refusal: &Refusal, org: &str) -> Option<Remedy> {
    let link = |text: &str, href: String| {
        let text = text.to_owned();
        Some(Remedy { text, href })
    };
    let key = refusal.key.as_ref();
    let key = key.map(|key| format!("/orgs/{org}/keys/{}", key.id));
    let agent = refusal.agent.as_ref();
    let agent = agent.map(|agent| format!("/orgs/{org}/agents/{}", agent.public_id));
    match (refusal.code, key, agent) {
        (Outcome::OriginNotAllowed, key, agent) => {
            let origin = refusal.origin.as_deref()?;
            let (_, host) = origin.split_once("://")?;
            let href = key.or(agent)?;
            // The page shows whether the key or its agent rejects the origin, and adds it.
            let query = query_of(&[("origin", origin)]);
            link(&format!("Add {host}"), format!("{href}{query}#domains"))
        }
        (Outcome::IpNotAllowed, Some(key), _) => {
            link("Edit IP ranges", format!("{key}/edit#ip_ranges"))
        }
        (Outcome::InsufficientScope, Some(key), _) => {
            let text = match refusal.missing_scopes.as_slice() {
                [scope] => format!("Add {scope}"),
                _ => "Edit scopes".to_owned(),
            };
            link(&text, adding_path(&key, &refusal.missing_scopes))
        }
        (Outcome::ExpiredApiKey, Some(key), _) => link("Extend", key),
        (Outcome::SecretKeyInBrowser, Some(key), _) => link("Revoke", format!("{key}?revoke=1")),
        (Outcome::WrongProject, Some(key), _) => {
            link("Edit project", format!("{key}/edit#project"))
        }
        (Outcome::InvalidApiKey, Some(key), _) => match refusal.reason.as_deref() {
            Some("disabled") => link("Enable", key),
            _ => link("View key", key),
        },
        _ => None,
    }
}

/// What to do where there is no page for it, in a few words.
pub const fn advice(code: Outcome) -> &'static str {
    match code {
        Outcome::RateLimited => "Send fewer requests",
        Outcome::QuotaExceeded => "Change the plan",
        Outcome::InsufficientCredits => "Add credits",
        Outcome::MissingApiKey => "Send a key",
        Outcome::InvalidApiKey => "Check the key that is sent",
        Outcome::ExpiredApiKey => "Use a new key",
        Outcome::AgentNotFound => "Check the agent's ID",
        Outcome::OrgMismatch => "Use a key of the agent's owner",
        Outcome::WrongEnvironment => "Use a key of that environment",
        Outcome::WrongProject => "Use a key of that project",
        Outcome::OriginNotAllowed | Outcome::IpNotAllowed | Outcome::InsufficientScope => {
            "Ask an owner to allow it"
        }
        Outcome::SecretKeyInBrowser => "Ask an owner to revoke the key",
        Outcome::Valid => "–",
    }
}
