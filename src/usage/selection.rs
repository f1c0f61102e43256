//! What is counted for a question: the subjects whose counts are summed, and what is known about each.

use std::collections::HashMap;

use crate::{
    Engine,
    db::{StorageError, Tx, on, places},
    id::OrgId,
};

use super::{
    count::Narrow,
    ids::{self, Named, kind},
    question::{Credential, Dimension, Filters, InvalidParameter, Question},
};

/// What is summed.
#[derive(Debug)]
pub(super) struct Selection {
    /// The subjects, whose counts do not overlap.
    pub(super) subjects: Vec<i64>,
    /// What is known about them, unless the org as a whole is counted.
    pub(super) about: HashMap<i64, About>,
    /// Which of their counts.
    pub(super) narrow: Narrow,
    /// The names of the classes.
    pub(super) classes: HashMap<i64, String>,
}

/// What is known about a subject, as stored.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    /// The ID of the key, or the public ID of the agent; empty for a cell.
    pub(super) id: String,
    /// The name of the key or agent.
    pub(super) name: String,
    /// The ID of the project.
    pub(super) project: String,
    /// The environment, or empty.
    pub(super) environment: String,
    /// `secret`, `widget` or `agent`.
    pub(super) kind: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A parameter is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidParameter),
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The subject that stands for an org as a whole, once it is counted. It is found before the snapshot of a report begins: who
/// holds a connection must not wait for a second one, or as many reports as there are connections wait for each other.
pub(super) async fn whole(engine: &Engine, org_id: OrgId) -> Result<Option<i64>, StorageError> {
    ids::of_subject(engine, org_id, Named::Org).await
}

impl Selection {
    /// `whole` is the subject of the org as a whole.
    pub(super) async fn new(
        tx: &mut Tx,
        (org_id, whole): (OrgId, Option<i64>),
        question: &Question,
    ) -> Result<Self, ReportError> {
        let filters = &question.filters;
        let classes = classes(tx).await?;
        check_projects(tx, org_id, filters).await?;
        let about = if !filters.keys.is_empty() {
            keys(tx, org_id, filters).await?
        } else if !filters.agents.is_empty() {
            agents(tx, org_id, filters).await?
        } else if needs_cells(question) {
            cells(tx, org_id).await?
        } else {
            return Ok(Self {
                subjects: whole.into_iter().collect(),
                about: HashMap::new(),
                narrow: narrow(filters, &classes),
                classes,
            });
        };
        let matching = about
            .into_iter()
            .filter(|(_, about)| filters.match_about(about));
        let about: HashMap<i64, About> = matching.collect();
        let mut subjects: Vec<i64> = about.keys().copied().collect();
        subjects.sort_unstable();
        Ok(Self {
            subjects,
            about,
            narrow: narrow(filters, &classes),
            classes,
        })
    }
}

/// Whether the org's own counts do not tell what is asked.
fn needs_cells(question: &Question) -> bool {
    let filters = &question.filters;
    let by_cell = matches!(
        question.group_by,
        Some(Dimension::Project | Dimension::Environment | Dimension::Kind)
    );
    by_cell
        || !filters.projects.is_empty()
        || !filters.environments.is_empty()
        || !filters.kinds.is_empty()
}

impl Filters {
    /// Whether the requests of a subject are counted.
    fn match_about(&self, about: &About) -> bool {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let environments = self.environments.iter().map(|value| value.as_str());
        let projects: Vec<String> = self.projects.iter().map(ToString::to_string).collect();
        let is_one = |values: &[&str], value: &str| values.is_empty() || values.contains(&value);
        is_one(&kinds, &about.kind)
            && is_one(&environments.collect::<Vec<_>>(), &about.environment)
            && (projects.is_empty() || projects.contains(&about.project))
    }

    /// Whether keys of some kind are counted.
    pub(super) fn include_keys(&self) -> bool {
        let is_key = |kind: &Credential| kind.kind().is_some();
        self.agents.is_empty() && (self.kinds.is_empty() || self.kinds.iter().any(is_key))
    }

    /// Whether agents are counted whose public ID was sent instead of a key.
    pub(super) fn include_agents(&self) -> bool {
        let kinds = &self.kinds;
        self.keys.is_empty()
            && self.environments.is_empty()
            && (kinds.is_empty() || kinds.contains(&Credential::Agent))
    }
}

fn narrow(filters: &Filters, classes: &HashMap<i64, String>) -> Narrow {
    let of_class = |name: &String| {
        let mut stored = classes.iter();
        stored
            .find(|(_, stored)| *stored == name)
            .map(|(id, _)| *id)
    };
    let outcomes = filters.outcomes.iter().map(|outcome| outcome.number());
    Narrow {
        // A class that was never counted is none of them.
        classes: (!filters.classes.is_empty())
            .then(|| filters.classes.iter().filter_map(of_class).collect()),
        outcomes: (!filters.outcomes.is_empty()).then(|| outcomes.collect()),
    }
}

async fn classes(tx: &mut Tx) -> Result<HashMap<i64, String>, StorageError> {
    const SQL: &str = "SELECT CAST(id AS BIGINT), name FROM usage_classes";
    let rows: Vec<(i64, String)> = on!(tx.on(), c => sqlx::query_as(SQL).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

async fn check_projects(tx: &mut Tx, org_id: OrgId, filters: &Filters) -> Result<(), ReportError> {
    if filters.projects.is_empty() {
        return Ok(());
    }
    let known = projects(tx, org_id).await?;
    match filters
        .projects
        .iter()
        .find(|id| !known.contains_key(&id.to_string()))
    {
        Some(unknown) => Err(not_found("project", &unknown.to_string()).into()),
        None => Ok(()),
    }
}

/// The names of the org's projects by ID. There are at most a few hundred.
pub(super) async fn projects(
    tx: &mut Tx,
    org_id: OrgId,
) -> Result<HashMap<String, String>, StorageError> {
    const SQL: &str = "SELECT id, name FROM projects WHERE org_id = $1";
    let rows: Vec<(String, String)> =
        on!(tx.on(), c => sqlx::query_as(SQL).bind(org_id).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

fn not_found(parameter: &'static str, id: &str) -> InvalidParameter {
    InvalidParameter::new(
        parameter,
        format!("`{id}` was not found in this organization"),
    )
}

/// Subject, ID, name, project, environment and kind.
type Row = (Option<i64>, String, String, String, String, String);

fn about(row: Row) -> (Option<i64>, About) {
    let (subject, id, name, project, environment, kind) = row;
    let about = About {
        id,
        name,
        project,
        environment,
        kind,
    };
    (subject, about)
}

/// The keys of the filter that were ever counted.
async fn keys(
    tx: &mut Tx,
    org_id: OrgId,
    filters: &Filters,
) -> Result<HashMap<i64, About>, ReportError> {
    let sql = format!(
        "SELECT CAST(counted.id AS BIGINT), keys.id, keys.name, keys.project_id, keys.environment, keys.kind FROM keys \
         LEFT JOIN usage_subjects AS counted ON counted.org_id = keys.org_id AND counted.kind = $2 AND counted.ref_id = keys.id \
         WHERE keys.org_id = $1 AND keys.id IN ({})",
        places(3, filters.keys.len())
    );
    let ids: Vec<String> = filters.keys.iter().map(ToString::to_string).collect();
    known(tx, &sql, (org_id, kind::KEY), "key", &ids).await
}

/// The agents of the filter that were ever counted.
async fn agents(
    tx: &mut Tx,
    org_id: OrgId,
    filters: &Filters,
) -> Result<HashMap<i64, About>, ReportError> {
    let sql = format!(
        "SELECT CAST(counted.id AS BIGINT), agents.public_id, agents.name, agents.project_id, '', 'agent' FROM agents \
         LEFT JOIN usage_subjects AS counted ON counted.org_id = agents.org_id AND counted.kind = $2 \
         AND counted.ref_id = agents.id WHERE agents.org_id = $1 AND agents.public_id IN ({})",
        places(3, filters.agents.len())
    );
    let ids: Vec<String> = filters.agents.iter().map(ToString::to_string).collect();
    known(tx, &sql, (org_id, kind::AGENT), "agent", &ids).await
}

async fn known(
    tx: &mut Tx,
    sql: &str,
    (org_id, kind): (OrgId, i64),
    parameter: &'static str,
    ids: &[String],
) -> Result<HashMap<i64, About>, ReportError> {
    let rows: Vec<Row> = on!(tx.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql.to_owned())).bind(org_id).bind(kind);
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })
    .map_err(StorageError::from)?;
    if let Some(unknown) = ids.iter().find(|id| rows.iter().all(|row| row.1 != **id)) {
        return Err(not_found(parameter, unknown).into());
    }
    let counted = rows.into_iter().map(about);
    Ok(counted
        .filter_map(|(subject, about)| Some((subject?, about)))
        .collect())
}

/// The cells of the org: a few for each of its projects.
async fn cells(tx: &mut Tx, org_id: OrgId) -> Result<HashMap<i64, About>, StorageError> {
    const SQL: &str = "SELECT CAST(id AS BIGINT), '', '', ref_id, environment, key_kind FROM usage_subjects \
         WHERE org_id = $1 AND kind = $2";
    let rows: Vec<Row> = on!(tx.on(), c => sqlx::query_as(SQL)
        .bind(org_id).bind(kind::CELL).fetch_all(c).await)?;
    let counted = rows.into_iter().map(about);
    Ok(counted
        .filter_map(|(subject, about)| Some((subject?, about)))
        .collect())
}
