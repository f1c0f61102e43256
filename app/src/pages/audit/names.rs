//! The names and public IDs that entries refer to, beside those that the engine adds.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use latchkey::{
    Engine,
    access::{Membership, to},
    agents,
    audit::Entry,
    id::{AgentId, KeyRequestId},
    invitations, key_requests,
    keys::project,
    members,
    role::Action,
};

use crate::error::AppError;

/// The names that are needed to render entries.
pub struct Names {
    /// The organization's slug.
    pub org: String,
    /// The names of the projects and people that changes refer to, by ID.
    pub referred: HashMap<String, String>,
    /// The public IDs of agents by ID: the URLs of agents' pages contain them.
    pub agents: HashMap<String, String>,
    /// The addresses of open invitations by ID, for users who can invite.
    pub invitations: HashMap<String, String>,
    /// The IDs of the requests for keys that the reader can open: all for owners, otherwise their own.
    pub requests: HashSet<String>,
}

impl Names {
    /// Loads the names for these entries.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn of(
        engine: &Engine,
        membership: &Membership,
        entries: &[Entry],
    ) -> Result<Self, AppError> {
        let mut names = Self {
            org: membership.org().slug.to_string(),
            referred: HashMap::new(),
            agents: HashMap::new(),
            invitations: HashMap::new(),
            requests: requests(engine, membership, entries).await?,
        };
        if entries.iter().any(is_about_invitation) {
            names.invitations = invited(engine, membership).await?;
        }
        if entries.iter().any(is_about_project) {
            names.referred = projects(engine, membership).await?;
        }
        if entries.iter().any(is_about_person) {
            names.referred.extend(people(engine, membership).await?);
        }
        let mut agents: Vec<AgentId> = entries.iter().filter_map(target_id).collect();
        agents.sort_unstable();
        agents.dedup();
        let permit = membership.permit::<to::SeeKeys>()?;
        let agents = agents::show::summaries_of(engine, &permit, &agents).await?;
        let public_ids = agents.into_iter().map(|agent| (agent.id, agent.public_id));
        let texts = public_ids.map(|(id, public_id)| (id.to_string(), public_id.to_string()));
        names.agents = texts.collect();
        Ok(names)
    }
}

/// Whether an entry contains a project ID.
pub fn is_about_project(entry: &Entry) -> bool {
    entry.changes.contains_key("project")
}

/// Whether the changes of an entry contain the ID of a person.
fn is_about_person(entry: &Entry) -> bool {
    PEOPLE
        .iter()
        .any(|field| entry.changes.contains_key(*field))
}

/// The changed fields that contain the ID of a person.
pub const PEOPLE: [&str; 4] = ["approved_by", "offered_by", "recipient", "requester"];

/// The field of a key's creation that contains the ID of the request for it.
pub const REQUEST: &str = "request";

async fn people(
    engine: &Engine,
    membership: &Membership,
) -> Result<impl Iterator<Item = (String, String)> + use<>, AppError> {
    let members = members::list(engine, &membership.permit()?).await?;
    let names = members.into_iter();
    Ok(names.map(|member| (member.user_id.to_string(), member.name.to_string())))
}

async fn requests(
    engine: &Engine,
    membership: &Membership,
    entries: &[Entry],
) -> Result<HashSet<String>, AppError> {
    let targets = entries.iter().filter_map(target_id);
    let referred = entries.iter().filter_map(|entry| {
        let request = entry.changes.get(REQUEST)?;
        request["to"].as_str()?.parse().ok()
    });
    let mut ids: Vec<KeyRequestId> = targets.chain(referred).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids = match membership.may(Action::DecideKeyRequests) {
        true => key_requests::any_of(engine, &membership.permit()?, &ids).await?,
        false => key_requests::own_of(engine, &membership.permit()?, &ids).await?,
    };
    Ok(ids.into_iter().map(|id| id.to_string()).collect())
}

fn is_about_invitation(entry: &Entry) -> bool {
    let target = entry.target.as_ref();
    target.is_some_and(|target| target.kind == "invitation")
}

async fn invited(
    engine: &Engine,
    membership: &Membership,
) -> Result<HashMap<String, String>, AppError> {
    let Some(permit) = membership.permit_if_allowed::<to::InviteMembers>() else {
        return Ok(HashMap::new());
    };
    let open = invitations::list(engine, &permit).await?.into_iter();
    let texts = open.map(|invitation| (invitation.id.to_string(), invitation.email.to_string()));
    Ok(texts.collect())
}

/// Loads the names of the organization's projects by ID.
///
/// # Errors
/// If the database cannot be reached.
pub async fn projects(
    engine: &Engine,
    membership: &Membership,
) -> Result<HashMap<String, String>, AppError> {
    let permit = membership.permit::<to::SeeKeyDetails>()?;
    let choices = project::choices(engine, &permit).await?;
    let names = choices
        .into_iter()
        .map(|choice| (choice.id.to_string(), choice.name.to_string()));
    Ok(names.collect())
}

/// The ID of what an entry is about. The IDs of targets of another kind do not parse.
fn target_id<T: FromStr>(entry: &Entry) -> Option<T> {
    entry.target.as_ref()?.id.as_ref()?.parse().ok()
}
