//! The one door through which an org's data is changed.
//!
//! [`Engine::change`] takes a permit and begins a transaction; [`Change::commit`] takes what happened, writes it to the
//! audit log and notifies other instances in the same transaction, commits, and drops from memory what became stale. All
//! of that is one task of its own: a client that hangs up, or a time limit, drops the future that waits for it and nothing
//! else. So memory never holds what the database no longer says.
//!
//! What is no org's data has [`crate::db::Db::begin_unrecorded`].

use serde_json::{Map, Value};
use sqlx::{PgConnection, SqliteConnection};

use crate::{
    Engine,
    access::{Operator, Permit},
    audit::{self, NewEntry, Positions},
    caller::Caller,
    db::{On, StorageError, Tx},
    event::{Event, Target},
    id::OrgId,
};

/// A transaction on an org's data. Dropped without [`Change::commit`], it changes nothing.
pub struct Change {
    engine: Engine,
    tx: Tx,
    org_id: Option<OrgId>,
    caller: Caller,
}

/// Something that happened: what, to what, and how it differs from before.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// What.
    pub event: Event,
    /// To what.
    pub target: Target,
    /// By field, `{"from": …, "to": …}`: never a secret, a name of a person or an address.
    pub changes: Map<String, Value>,
}

/// What happened in one change: at least one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Events(Vec<Happened>);

impl Happened {
    /// Something of which there is no more to say.
    pub fn new(event: Event, target: Target) -> Self {
        Self {
            event,
            target,
            changes: Map::new(),
        }
    }

    /// Notes that a field is not what it was. A field that is the same is left out.
    #[must_use]
    pub fn changed(mut self, field: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        let (from, to) = (from.into(), to.into());
        if from != to {
            let change = Map::from_iter([("from".to_owned(), from), ("to".to_owned(), to)]);
            self.changes.insert(field.to_owned(), change.into());
        }
        self
    }
}

impl Events {
    /// Several; `None` when nothing happened, so that there is nothing to commit.
    pub fn several(events: Vec<Happened>) -> Option<Self> {
        (!events.is_empty()).then_some(Self(events))
    }

    /// These, and then one more.
    #[must_use]
    pub fn and(mut self, happened: Happened) -> Self {
        self.0.push(happened);
        self
    }
}

impl From<Happened> for Events {
    fn from(happened: Happened) -> Self {
        Self(vec![happened])
    }
}

impl Engine {
    /// Begins a change of the data of the permit's org.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn change<A>(&self, permit: &Permit<A>) -> Result<Change, StorageError> {
        self.begin_change(Some(permit.org_id()), permit.caller().clone())
            .await
    }

    /// Begins a change of what belongs to no org, such as the operator's service tokens.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn change_instance(
        &self,
        operator: &Operator,
    ) -> Result<Change, StorageError> {
        self.begin_change(None, operator.caller().clone()).await
    }

    /// Begins a change that creates an org; [`Change::is_of`] then says which.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn change_of_new_org(&self, caller: Caller) -> Result<Change, StorageError> {
        self.begin_change(None, caller).await
    }

    async fn begin_change(
        &self,
        org_id: Option<OrgId>,
        caller: Caller,
    ) -> Result<Change, StorageError> {
        Ok(Change {
            engine: self.clone(),
            tx: self.db.begin_unrecorded().await?,
            org_id,
            caller,
        })
    }
}

impl Change {
    /// The connection to run statements on.
    pub(crate) fn on(&mut self) -> On<&mut SqliteConnection, &mut PgConnection> {
        self.tx.on()
    }

    /// The transaction, for statements that other modules run in it.
    pub(crate) fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// Says which org the change is of, once that is created.
    pub(crate) fn is_of(&mut self, org_id: OrgId) {
        self.org_id = Some(org_id);
    }

    /// Makes the change last, and everyone know of it.
    ///
    /// # Errors
    /// When the database does not answer: whether it has the change is then not known, and memory asks it anew.
    pub(crate) async fn commit(self, events: impl Into<Events>) -> Result<(), StorageError> {
        self.commit_at(events).await.map(drop)
    }

    /// As [`Self::commit`], and where the entries are in the log.
    pub(crate) async fn commit_at(
        self,
        events: impl Into<Events>,
    ) -> Result<Positions, StorageError> {
        let Self {
            engine,
            mut tx,
            org_id,
            caller,
        } = self;
        let Events(events) = events.into();
        let tasks = engine.commits.clone();
        let committing = tasks.spawn(async move {
            let at = engine.clock.now();
            let what: Vec<(Event, Target)> = events
                .iter()
                .map(|happened| (happened.event, happened.target))
                .collect();
            let entries: Vec<NewEntry> = events
                .into_iter()
                .map(|happened| NewEntry {
                    org_id,
                    at,
                    caller: caller.clone(),
                    event: happened.event,
                    target: Some(happened.target),
                    changes: happened.changes,
                })
                .collect();
            let committed = async {
                let appended = audit::append(&engine, &mut tx, &entries).await?;
                tx.commit().await?;
                Ok::<_, StorageError>(appended)
            };
            let committed = committed.await;
            for (event, target) in &what {
                engine.forget_stale(*event, *target, org_id);
            }
            let appended = committed?;
            let positions = appended.positions;
            let now = engine.clock.monotonic();
            engine.effects.note(&what, appended, now);
            Ok(positions)
        });
        committing.await.map_err(|_| StorageError::interrupted())?
    }
}
