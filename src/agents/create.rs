//! Creating an agent.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    id::AgentId,
    limits::{Limited, check_added, check_more_domains},
    list::each_once,
    sort_name::sort_name,
};

use super::{AgentError, AgentSettings, AgentSummary, PublicId, check};

/// The result of a request that can be sent twice.
#[derive(Debug)]
pub enum Once {
    /// The agent was created.
    Made(AgentSummary),
    /// A previous request with the same token created the agent.
    MadeBefore(PublicId),
}

/// Creates an agent with a new public ID.
///
/// # Errors
/// If a setting is invalid. Nothing is changed then.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    settings: &AgentSettings,
) -> Result<AgentSummary, AgentError> {
    match create_once(engine, permit, settings, None).await? {
        Once::Made(agent) => Ok(agent),
        // Unreachable: without a token no row conflicts.
        Once::MadeBefore(_) => Err(AgentError::NotFound),
    }
}

/// Same as [`create`] for a request that can be sent twice: the org gets only one agent per `creation_token`.
///
/// # Errors
/// If a setting is invalid. Nothing is changed then.
pub async fn create_once(
    engine: &Engine,
    permit: &Permit<to::EditAgents>,
    settings: &AgentSettings,
    creation_token: Option<&str>,
) -> Result<Once, AgentError> {
    let now = engine.clock.now();
    let id = AgentId::new(now.as_millis(), engine.random.bytes()?);
    let public_id = PublicId::generate(&engine.random)?;
    let mut change = engine.change(permit).await?;
    let project = check(engine, change.tx(), permit.org_id(), settings).await?;
    const INSERT: &str = "INSERT INTO agents (id, org_id, project_id, public_id, name, domains, public_embedding, \
         created_at, creation_token, sort_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (org_id, creation_token) DO NOTHING";
    let inserted = on!(change.on(), c => sqlx::query(INSERT)
        .bind(id).bind(permit.org_id()).bind(project).bind(public_id).bind(settings.name.clone())
        .bind(serde_json::json!(each_once(&settings.domains)).to_string()).bind(settings.public_embedding).bind(now)
        .bind(creation_token).bind(sort_name(settings.name.as_str()))
        .execute(c).await.map(|done| done.rows_affected()))?;
    if inserted == 0 {
        const SELECT: &str =
            "SELECT public_id FROM agents WHERE org_id = $1 AND creation_token = $2";
        let made: PublicId = on!(change.on(), c => sqlx::query_scalar(SELECT)
            .bind(permit.org_id()).bind(creation_token).fetch_one(c).await)?;
        return Ok(Once::MadeBefore(made));
    }
    let (org_id, domains) = (permit.org_id(), settings.domains.len());
    check_added(engine, change.tx(), org_id, Limited::Agents).await??;
    check_more_domains(engine, change.tx(), org_id, 0, domains).await??;
    let created = Happened::new(Event::AgentCreated, Target::Agent(id));
    change.commit(created).await?;
    Ok(Once::Made(AgentSummary {
        id,
        public_id,
        name: settings.name.clone(),
    }))
}
