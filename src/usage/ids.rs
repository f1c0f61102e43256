//! The compact ids by which counts are stored: of subjects, and of endpoint classes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    Engine,
    convention::ClassIndex,
    db::{StorageError, on},
    id::{AgentId, KeyId, OrgId},
};

use super::subject::Cell;

/// The maximum number of ids in memory, about 120 bytes each. Once there are more, the memory starts anew.
const MAX_IN_MEMORY: usize = 200_000;
/// Subjects per statement: so few that Postgres looks each of them up. With more it would read the whole table for each statement.
const AT_ONCE: usize = 100;

/// What a subject stands for, within an org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Named {
    /// The org as a whole.
    Org,
    /// All keys or agents that have something in common.
    Cell(Cell),
    /// A key.
    Key(KeyId),
    /// An agent whose public ID was sent instead of a key.
    Agent(AgentId),
}

/// The numbers that stand for the kinds of subjects in the database.
pub(crate) mod kind {
    pub(crate) const ORG: i64 = 0;
    pub(crate) const CELL: i64 = 1;
    pub(crate) const KEY: i64 = 2;
    pub(crate) const AGENT: i64 = 3;
}

impl Named {
    pub(super) fn kind(self) -> i64 {
        match self {
            Self::Org => kind::ORG,
            Self::Cell(_) => kind::CELL,
            Self::Key(_) => kind::KEY,
            Self::Agent(_) => kind::AGENT,
        }
    }

    fn ref_id(self) -> String {
        match self {
            Self::Org => String::new(),
            Self::Cell(cell) => cell.project.map_or_else(String::new, |id| id.to_string()),
            Self::Key(id) => id.to_string(),
            Self::Agent(id) => id.to_string(),
        }
    }

    /// The environment and the kind of keys, as stored.
    fn group(self) -> (&'static str, &'static str) {
        match self {
            Self::Cell(cell) => (cell.group.environment(), cell.group.kind()),
            Self::Org | Self::Key(_) | Self::Agent(_) => ("", ""),
        }
    }
}

/// A subject: an org, and what it stands for.
pub(super) type Name = (OrgId, Named);

/// The ids in memory. They never change, and those of a deleted org are not used again.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    subjects: Mutex<HashMap<Name, i64>>,
    classes: Mutex<HashMap<ClassIndex, i64>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the id of each subject, and creates those that have none.
///
/// They are committed before a batch uses them, so that the memory never holds an id that was rolled back.
pub(super) async fn of_subjects(
    engine: &Engine,
    names: &BTreeSet<Name>,
) -> Result<HashMap<Name, i64>, StorageError> {
    let mut ids = HashMap::with_capacity(names.len());
    let mut missing: Vec<Name> = Vec::new();
    {
        let known = lock(&engine.usage_ids.subjects);
        for name in names {
            match known.get(name) {
                Some(id) => {
                    ids.insert(*name, *id);
                }
                None => missing.push(*name),
            }
        }
    }
    for names in missing.chunks(AT_ONCE) {
        let mut found = select(engine, names).await?;
        if found.len() < names.len() {
            let absent: Vec<Name> = names
                .iter()
                .filter(|name| !found.contains_key(*name))
                .copied()
                .collect();
            create(engine, &absent).await?;
            found.extend(select(engine, &absent).await?);
        }
        let mut known = lock(&engine.usage_ids.subjects);
        if known.len() + found.len() > MAX_IN_MEMORY {
            known.clear();
        }
        known.extend(&found);
        ids.extend(found);
    }
    Ok(ids)
}

/// Returns the id of an org as a whole; `None` if nothing was ever counted for it.
pub(crate) async fn of_org(engine: &Engine, org_id: OrgId) -> Result<Option<i64>, StorageError> {
    of_subject(engine, org_id, Named::Org).await
}

/// Returns the id of a subject; `None` if nothing was ever counted for it.
pub(super) async fn of_subject(
    engine: &Engine,
    org_id: OrgId,
    named: Named,
) -> Result<Option<i64>, StorageError> {
    let name = (org_id, named);
    if let Some(id) = lock(&engine.usage_ids.subjects).get(&name) {
        return Ok(Some(*id));
    }
    const SQL: &str = "SELECT CAST(id AS BIGINT) FROM usage_subjects \
         WHERE org_id = $1 AND kind = $2 AND ref_id = $3 AND environment = $4 AND key_kind = $5";
    let (environment, key_kind) = named.group();
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(named.kind()).bind(named.ref_id()).bind(environment).bind(key_kind)
        .fetch_optional(c).await)?)
}

async fn select(engine: &Engine, names: &[Name]) -> Result<HashMap<Name, i64>, StorageError> {
    let mut tx = engine.db.begin_snapshot().await?;
    let sql = format!(
        "SELECT CAST(subjects.id AS BIGINT), wanted.column6 FROM (VALUES {}) AS wanted \
         JOIN usage_subjects AS subjects ON subjects.org_id = wanted.column1 AND subjects.kind = wanted.column2 \
         AND subjects.ref_id = wanted.column3 AND subjects.environment = wanted.column4 \
         AND subjects.key_kind = wanted.column5",
        tx.places_of_rows(names.len(), 6)
    );
    let rows: Vec<(i64, i64)> = on!(tx.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(names.len() == AT_ONCE);
        for (place, (org_id, named)) in names.iter().enumerate() {
            let (environment, key_kind) = named.group();
            query = query.bind(org_id).bind(named.kind()).bind(named.ref_id()).bind(environment).bind(key_kind)
                .bind(place as i64);
        }
        query.fetch_all(c).await
    })?;
    let of_row = |(id, place): (i64, i64)| {
        let name = names.get(usize::try_from(place).ok()?)?;
        Some((*name, id))
    };
    Ok(rows.into_iter().filter_map(of_row).collect())
}

async fn create(engine: &Engine, names: &[Name]) -> Result<(), StorageError> {
    let mut tx = engine.db.begin_unrecorded().await?;
    let sql = format!(
        "INSERT INTO usage_subjects (org_id, kind, ref_id, environment, key_kind) VALUES {} ON CONFLICT DO NOTHING",
        tx.places_of_rows(names.len(), 5)
    );
    on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        for (org_id, named) in names {
            let (environment, key_kind) = named.group();
            query = query.bind(org_id).bind(named.kind()).bind(named.ref_id()).bind(environment).bind(key_kind);
        }
        query.execute(c).await.map(drop)
    })?;
    tx.commit().await
}

/// Returns the id of each class, and creates those that have none.
pub(super) async fn of_classes(
    engine: &Engine,
    classes: &BTreeSet<ClassIndex>,
) -> Result<HashMap<ClassIndex, i64>, StorageError> {
    let mut ids = HashMap::new();
    for class in classes {
        let known = lock(&engine.usage_ids.classes).get(class).copied();
        let id = match known {
            Some(id) => id,
            None => of_class(engine, class.name(&engine.convention)).await?,
        };
        lock(&engine.usage_ids.classes).insert(*class, id);
        ids.insert(*class, id);
    }
    Ok(ids)
}

async fn of_class(engine: &Engine, name: &str) -> Result<i64, StorageError> {
    const FIND: &str = "SELECT CAST(id AS BIGINT) FROM usage_classes WHERE name = $1";
    // Does nothing if another instance creates a class at the same moment, of this name or with this id.
    const CREATE: &str = "INSERT INTO usage_classes (id, name) SELECT COALESCE(MAX(id), 0) + 1, $1 FROM usage_classes \
         WHERE TRUE ON CONFLICT DO NOTHING";
    loop {
        let found: Option<i64> = on!(engine.db.read(), c => sqlx::query_scalar(FIND)
            .bind(name).fetch_optional(c).await)?;
        if let Some(id) = found {
            return Ok(id);
        }
        on!(engine.db.write_unrecorded(), c => sqlx::query(CREATE)
            .bind(name).execute(c).await.map(drop))?;
    }
}
