//! What entries refer to beside the names that the engine finds.

use std::collections::HashMap;

use latchkey::{
    Engine,
    access::{Membership, to},
    agents,
    audit::Entry,
    projects,
};

use crate::error::AppError;

/// What the pages of entries need to know of the org's things.
pub struct Names {
    /// The org's slug.
    pub org: String,
    /// The names of projects by id.
    pub projects: HashMap<String, String>,
    /// The public IDs of agents by id: their pages have these in their addresses.
    pub agents: HashMap<String, String>,
}

impl Names {
    /// Those that these entries need.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(
        engine: &Engine,
        membership: &Membership,
        entries: &[Entry],
    ) -> Result<Self, AppError> {
        let mut names = Self {
            org: membership.org().slug.to_string(),
            projects: HashMap::new(),
            agents: HashMap::new(),
        };
        if entries
            .iter()
            .any(|entry| entry.changes.contains_key("project"))
        {
            let permit = membership.permit::<to::SeeKeyDetails>()?;
            let projects = projects::list(engine, &permit).await?.into_iter();
            let named = projects.map(|project| (project.id.to_string(), project.name.to_string()));
            names.projects = named.collect();
        }
        let is_agent = |entry: &Entry| {
            entry
                .target
                .as_ref()
                .is_some_and(|target| target.kind == "agent")
        };
        if entries.iter().any(is_agent) {
            let permit = membership.permit::<to::SeeKeys>()?;
            let agents = agents::show::summaries(engine, &permit).await?.into_iter();
            let named = agents.map(|agent| (agent.id.to_string(), agent.public_id.to_string()));
            names.agents = named.collect();
        }
        Ok(names)
    }
}
