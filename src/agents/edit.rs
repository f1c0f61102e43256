//! Changing an agent.

use serde_json::Value;

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{from_json, on, select_locked},
    domain::DomainPattern,
    event::{Event, Target},
    id::{AgentId, ProjectId},
    limits::check_more_domains,
    list::each_once,
    name::DisplayName,
    revision::{Known, Revision, fingerprint},
    sort_name::sort_name,
};

use super::{Agent, AgentError, AgentSettings, PublicId, check, show};

/// The changes to an agent. `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditAgent {
    /// The agent's display name.
    pub name: Option<DisplayName>,
    /// The project it belongs to; `Some(None)` means the org's first project, `Default`.
    pub project: Option<Option<ProjectId>>,
    /// The sites whose pages can use the agent.
    pub domains: Option<Vec<DomainPattern>>,
    /// Whether a page can embed the public ID in place of a key.
    pub public_embedding: Option<bool>,
    /// The version of the agent that the caller has read. If it is outdated, nothing is changed.
    pub known: Known,
}

/// Replaces every field.
impl From<AgentSettings> for EditAgent {
    fn from(settings: AgentSettings) -> Self {
        Self {
            name: Some(settings.name),
            project: Some(settings.project),
            domains: Some(settings.domains),
            public_embedding: Some(settings.public_embedding),
            known: Known::Nothing,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: AgentId,
    name: DisplayName,
    project_id: ProjectId,
    domains: String,
    public_embedding: bool,
}

impl EditAgent {
    /// A fingerprint of each field that is set.
    pub fn revision(&self) -> Revision {
        Revision::default()
            .with("name", self.name.as_ref())
            .with("project", self.project)
            .with_set("domains", self.domains.as_deref())
            .with("public_embedding", self.public_embedding)
    }

    /// Drops the fields that still have the value the form was rendered with.
    fn leave_unchanged(&mut self, sent: &Revision) {
        let known = &self.known;
        self.name.take_if(|_| !known.is_change("name", sent));
        self.project.take_if(|_| !known.is_change("project", sent));
        self.domains.take_if(|_| !known.is_change("domains", sent));
        self.public_embedding
            .take_if(|_| !known.is_change("public_embedding", sent));
    }
}

impl Agent {
    /// The revision that a form of the agent is rendered with.
    pub fn revision(&self) -> Revision {
        let all = EditAgent {
            name: Some(self.summary.name.clone()),
            project: Some(Some(self.project_id)),
            domains: Some(self.domains.clone()),
            public_embedding: Some(self.public_embedding),
            known: Known::Nothing,
        };
        all.revision()
    }

    /// The agent's entity tag. It differs after every change.
    pub fn tag(&self) -> String {
        fingerprint(&(
            &self.summary.name,
            self.project_id,
            &self.domains,
            self.public_embedding,
        ))
    }
}

/// Changes an agent. Verifications on this instance use the new settings immediately.
///
/// # Errors
/// If there is no such agent, it was changed in the meantime, or a setting is invalid. Nothing is changed then.
pub async fn edit(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    public_id: PublicId,
    mut edit: EditAgent,
) -> Result<(), AgentError> {
    let org_id = permit.org_id();
    let mut change = engine.change(permit).await?;
    let row: Option<Row> = select_locked!(
        change,
        "SELECT id, name, project_id, domains, public_embedding FROM agents WHERE org_id = $1 AND public_id = $2",
        org_id,
        public_id
    )?;
    let row = row.ok_or(AgentError::NotFound)?;
    if edit.known != Known::Nothing {
        let agent = show::details_within(change.tx(), org_id, public_id).await?;
        let agent = agent.ok_or(AgentError::NotFound)?;
        let sent = edit.revision();
        if edit
            .known
            .is_outdated(&sent, &agent.revision(), || agent.tag())
        {
            return Err(AgentError::ChangedMeanwhile);
        }
        edit.leave_unchanged(&sent);
    }
    let settings = AgentSettings {
        name: edit.name.unwrap_or_else(|| row.name.clone()),
        project: edit.project.unwrap_or(Some(row.project_id)),
        domains: match edit.domains {
            Some(domains) => domains,
            None => crate::keys::stored_domains(&row.domains)?,
        },
        public_embedding: edit.public_embedding.unwrap_or(row.public_embedding),
    };
    let project = check(engine, change.tx(), org_id, &settings).await?;
    let before = crate::keys::stored_domains(&row.domains)?.len();
    let domains = each_once(&settings.domains);
    let after = domains.len();
    let domains = serde_json::json!(domains);
    let updated = Happened::new(Event::AgentUpdated, Target::Agent(row.id))
        .changed("name", row.name.as_str(), settings.name.as_str())
        .changed("project", row.project_id.to_string(), project.to_string())
        .changed(
            "domains",
            from_json::<Value>(&row.domains)?,
            domains.clone(),
        )
        .changed(
            "public_embedding",
            row.public_embedding,
            settings.public_embedding,
        );
    if updated.changes.is_empty() {
        return Ok(());
    }
    const UPDATE: &str = "UPDATE agents SET name = $1, project_id = $2, domains = $3, public_embedding = $4, sort_name = $7 \
         WHERE org_id = $5 AND public_id = $6";
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(settings.name.clone()).bind(project).bind(domains.to_string())
        .bind(settings.public_embedding).bind(org_id).bind(public_id)
        .bind(sort_name(settings.name.as_str()))
        .execute(c).await.map(drop))?;
    check_more_domains(engine, change.tx(), org_id, before, after).await??;
    Ok(change.commit(updated).await?)
}
