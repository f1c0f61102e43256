//! The data of the page.

use latchkey::{
    access::to,
    outcome::Outcome,
    refusals::{self, Refusal, RefusalPage},
    role::Action,
    time::Zone,
};

use super::{
    address::Address,
    remedy::{Remedy, advice, remedy},
};
use crate::{
    error::AppError,
    pages::usage::told_apart,
    request::PageRequest,
    text::time::{TimeText, zone},
};

/// A page of rejected requests.
#[derive(Debug, Clone)]
pub struct Refusals {
    /// Newest first.
    pub rows: Vec<RefusalRow>,
    /// The ID of the last request, if more follow.
    pub next: Option<String>,
    /// The names of the invalid filters. If there are any, there are no rows.
    pub invalid: Vec<&'static str>,
    /// The endpoint classes of this instance.
    pub classes: Vec<String>,
    /// The name of the key in the filter.
    pub key_name: Option<String>,
    /// The name of the agent in the filter.
    pub agent_name: Option<String>,
    /// The user's time zone, in which times are shown.
    pub zone: Zone,
}

/// A rejected request, as the page shows it.
#[derive(Debug, Clone)]
pub struct RefusalRow {
    pub at: TimeText,
    /// Why: "Origin not allowed".
    pub title: &'static str,
    /// More about it: the missing scopes, or why the key is invalid.
    pub more: Option<String>,
    /// The key's name and path, or the prefix of a key that does not exist.
    pub key: Option<(String, Option<String>)>,
    /// The agent's name and path.
    pub agent: Option<(String, String)>,
    pub origin: Option<String>,
    pub network: Option<String>,
    /// The client, and the endpoint class if there are several: "firefox · chat".
    pub under: String,
    /// What the user can do about it.
    pub remedy: Option<Remedy>,
    /// What to do if the user cannot change it.
    pub advice: &'static str,
}

/// Loads the requests that the URL asks for, for owners and admins.
pub async fn load(request: PageRequest) -> Result<Refusals, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let permit = membership.permit::<to::SeeUsageDetails>()?;
    let address = Address::read(request.org().to_owned(), request.query());
    let convention = engine.convention();
    let (page, invalid) = match address.query(convention) {
        Ok(query) => (refusals::list(engine, &permit, &query).await?, Vec::new()),
        Err(invalid) => (RefusalPage::default(), invalid),
    };
    let may_edit = membership.may(Action::EditKeys);
    let zone = zone();
    let key_name = match address.key.parse() {
        Ok(id) => {
            let permit = membership.permit::<to::SeeKeys>()?;
            latchkey::keys::show::summary(engine, &permit, id)
                .await?
                .map(|key| told_apart(&key))
        }
        Err(_) => None,
    };
    let agent_name = match address.agent.parse() {
        Ok(id) => {
            let permit = membership.permit::<to::SeeKeys>()?;
            latchkey::agents::show::summary(engine, &permit, id)
                .await?
                .map(|agent| format!("{} ({})", agent.name, agent.public_id))
        }
        Err(_) => None,
    };
    Ok(Refusals {
        rows: page
            .refusals
            .into_iter()
            .map(|refusal| {
                row(
                    refusal,
                    &address.org,
                    may_edit,
                    convention.classes.len() > 1,
                )
            })
            .collect(),
        next: page.next.map(|id| id.to_string()),
        invalid,
        classes: convention.classes.keys().cloned().collect(),
        key_name,
        agent_name,
        zone,
    })
}

fn row(refusal: Refusal, org: &str, may_edit: bool, names_class: bool) -> RefusalRow {
    let remedy = remedy(&refusal, org).filter(|_| may_edit);
    let more = match refusal.code {
        Outcome::InsufficientScope => Some(refusal.missing_scopes.join(", ")),
        Outcome::InvalidApiKey => refusal.reason.as_deref().map(reason_text),
        _ => None,
    };
    let key = match (refusal.key, refusal.prefix) {
        (Some(key), _) => Some((
            key.name.to_string(),
            Some(format!("/orgs/{org}/keys/{}", key.id)),
        )),
        (None, prefix) => prefix.map(|prefix| (format!("{prefix}…"), None)),
    };
    let class = Some(refusal.class).filter(|_| names_class);
    let client = refusal.client.into_iter().chain(class);
    RefusalRow {
        at: TimeText::exact(refusal.at),
        title: refusal.code.title(),
        more,
        key,
        agent: refusal.agent.map(|agent| {
            let href = format!("/orgs/{org}/agents/{}", agent.public_id);
            (agent.name.to_string(), href)
        }),
        origin: refusal.origin,
        network: refusal.network,
        under: client.collect::<Vec<_>>().join(" · "),
        remedy,
        advice: advice(refusal.code),
    }
}

/// Why a key is invalid, for people.
fn reason_text(reason: &str) -> String {
    let text = match reason {
        "malformed" => "Not a complete key",
        "unknown" => "Does not exist",
        "disabled" => "Disabled",
        "revoked" => "Revoked",
        "superseded" => "Replaced by a rotation",
        other => other,
    };
    text.to_owned()
}
