//! All changes of an org's data go through this module.
//!
//! [`Engine::change`] takes a permit and begins a transaction. [`Change::commit`] takes the events, writes them to
//! the audit log and notifies other instances in the same transaction, commits, and evicts from the cache what became
//! stale. All of this is a task of its own: if the client hangs up or a time limit expires, only the future that waits
//! for it is dropped. So the cache never holds anything that the database no longer has.
//!
//! A person's own account is changed with [`Engine::begin_as`], and other data outside any org with
//! [`crate::db::Db::begin_unrecorded`].

use serde_json::{Map, Value};
use sqlx::{PgConnection, SqliteConnection};

use crate::{
    Engine,
    access::{Operator, Permit, operator_still_is, session_still_lives, still_holds},
    accounts::lock::lock_user,
    audit::{self, NewEntry, Positions},
    caller::{Actor, Caller},
    changed::Changed,
    db::{On, StorageError, Tx},
    event::{Event, Target},
    id::OrgId,
    key_requests::hand_over::ended::end_with,
    mail::{Letter, MailPlace, of_changes},
    orgs::lock::{keep, lock_to_delete},
    reviews::done::note_done,
};

/// A transaction on an org's data. Rolled back if dropped without [`Change::commit`].
pub struct Change {
    engine: Engine,
    tx: Tx,
    org_id: Option<OrgId>,
    caller: Caller,
    letters: Vec<(MailPlace, Letter)>,
}

/// An event for the audit log: what happened, to which target, and the fields that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// The kind of event.
    pub event: Event,
    /// The target of the event.
    pub target: Target,
    /// The changes by field: `{"from": …, "to": …}`. Never contains secrets, names of people or addresses.
    pub changes: Map<String, Value>,
    /// The log to which the event belongs.
    log: Log,
}

/// The log of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Log {
    /// That of the change's org, or of the instance if the change has none.
    Own,
    /// That of another org, for a change that concerns several.
    Org(OrgId),
    /// That of the instance.
    Instance,
}

/// The events of one change; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Events(Vec<Happened>);

impl Happened {
    /// An event without changed fields.
    pub fn new(event: Event, target: Target) -> Self {
        Self {
            event,
            target,
            changes: Map::new(),
            log: Log::Own,
        }
    }

    /// Puts the event into the log of this org.
    #[must_use]
    pub(crate) fn in_org(self, org_id: OrgId) -> Self {
        let log = Log::Org(org_id);
        Self { log, ..self }
    }

    /// Puts the event into the log of the instance, which belongs to no org.
    #[must_use]
    pub(crate) fn in_instance(self) -> Self {
        let log = Log::Instance;
        Self { log, ..self }
    }

    /// Adds a changed field. A field with an equal value is left out.
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
    /// Several events; `None` if the list is empty, so that there is nothing to commit.
    pub fn several(events: Vec<Happened>) -> Option<Self> {
        (!events.is_empty()).then_some(Self(events))
    }

    /// Adds one more event.
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
    /// If the org was deleted or the permit ended meanwhile, or the database cannot be reached.
    pub(crate) async fn change<A>(&self, permit: &Permit<A>) -> Result<Change, StorageError> {
        let mut change = self
            .begin_change(Some(permit.org_id()), permit.caller().clone())
            .await?;
        keep(change.tx(), permit.org_id()).await?;
        still_holds(change.tx(), permit, self.clock.now()).await?;
        Ok(change)
    }

    /// Begins a change that deletes the permit's org. Unlike [`Self::change`], it does not keep others from deleting it,
    /// for which two concurrent deletions would wait for each other.
    ///
    /// # Errors
    /// If the permit ended meanwhile, or the database cannot be reached.
    pub(crate) async fn change_to_delete<A>(
        &self,
        permit: &Permit<A>,
    ) -> Result<Change, StorageError> {
        let mut change = self
            .begin_change(Some(permit.org_id()), permit.caller().clone())
            .await?;
        lock_to_delete(change.tx(), permit.org_id()).await?;
        still_holds(change.tx(), permit, self.clock.now()).await?;
        Ok(change)
    }

    /// Begins a change of a person's own account, which can concern several orgs.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub(crate) async fn change_account(&self, caller: Caller) -> Result<Change, StorageError> {
        self.begin_change(None, caller).await
    }

    /// Begins a change outside any org, such as of the operator's service tokens. [`Change::is_of`] sets the org of one that
    /// creates it.
    ///
    /// # Errors
    /// If the operator no longer is one, or the database cannot be reached.
    pub(crate) async fn change_instance(
        &self,
        operator: &Operator,
    ) -> Result<Change, StorageError> {
        let mut change = self.begin_change(None, operator.caller().clone()).await?;
        operator_still_is(change.tx(), operator.caller(), self.clock.now()).await?;
        Ok(change)
    }

    /// Begins a change in which someone who is no operator creates an org. [`Change::is_of`] sets the org once it exists.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub(crate) async fn change_of_new_org(&self, caller: Caller) -> Result<Change, StorageError> {
        self.begin_change(None, caller).await
    }

    /// Begins a change that the token of an invitation allows. [`Change::is_of`] sets the org once the token is found.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub(crate) async fn change_by_invitation(
        &self,
        caller: Caller,
    ) -> Result<Change, StorageError> {
        self.begin_change(None, caller).await
    }

    /// Begins a transaction on a person's own account, outside any org and without audit events of its own.
    ///
    /// # Errors
    /// If the session of the caller has ended since the request began, or the database cannot be reached.
    pub(crate) async fn begin_as(&self, caller: &Caller) -> Result<Tx, StorageError> {
        let mut tx = self.db.begin_unrecorded().await?;
        session_still_lives(&mut tx, caller, self.clock.now()).await?;
        Ok(tx)
    }

    /// Like [`begin_as`](Self::begin_as), for what ends the user's other sessions: of two such changes, the second waits for the
    /// first, and fails if that has ended its session.
    ///
    /// # Errors
    /// If the session of the caller has ended since the request began, or the database cannot be reached.
    pub(crate) async fn begin_alone_as(&self, caller: &Caller) -> Result<Tx, StorageError> {
        let mut tx = self.db.begin_unrecorded().await?;
        if let Actor::User(user_id) = caller.actor {
            lock_user(&mut tx, user_id).await?;
        }
        session_still_lives(&mut tx, caller, self.clock.now()).await?;
        Ok(tx)
    }

    async fn begin_change(
        &self,
        org_id: Option<OrgId>,
        caller: Caller,
    ) -> Result<Change, StorageError> {
        Ok(Change {
            engine: self.clone(),
            tx: self.begin_as(&caller).await?,
            org_id,
            caller,
            letters: Vec::new(),
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

    /// Sets the org of the change, once it has been created.
    pub(crate) fn is_of(&mut self, org_id: OrgId) {
        self.org_id = Some(org_id);
    }

    /// Adds a letter to post after the commit, in a place that was taken before.
    pub(crate) fn posts(&mut self, place: Option<MailPlace>, letter: Letter) {
        self.letters.extend(place.map(|place| (place, letter)));
    }

    /// Commits the change with its audit entries, and evicts what it made stale from the cache.
    ///
    /// # Errors
    /// If the database cannot be reached. It is then unknown whether the change was stored; the cache entries are
    /// evicted in either case.
    pub(crate) async fn commit(self, events: impl Into<Events>) -> Result<(), StorageError> {
        self.commit_at(events).await.map(drop)
    }

    /// Same as [`Self::commit`], and returns the positions of the entries in the log.
    pub(crate) async fn commit_at(
        self,
        events: impl Into<Events>,
    ) -> Result<Positions, StorageError> {
        let Self {
            engine,
            mut tx,
            org_id,
            caller,
            letters,
        } = self;
        let Events(events) = events.into();
        let tasks = engine.commits.clone();
        let committing = tasks.spawn(async move {
            let at = engine.clock.now();
            let what: Vec<(Event, Target)> = events
                .iter()
                .map(|happened| (happened.event, happened.target))
                .collect();
            let mut entries: Vec<NewEntry> = events
                .into_iter()
                .map(|happened| NewEntry {
                    org_id: match happened.log {
                        Log::Own => org_id,
                        Log::Org(org_id) => Some(org_id),
                        Log::Instance => None,
                    },
                    at,
                    caller: caller.clone(),
                    event: happened.event,
                    target: Some(happened.target),
                    changes: happened.changes,
                })
                .collect();
            let committed = async {
                note_done(&mut tx, &engine.convention, &mut entries).await?;
                end_with(&mut tx, &entries).await?;
                let appended = audit::append(&engine, &mut tx, &entries).await?;
                tx.commit().await?;
                Ok::<_, StorageError>(appended)
            };
            let committed = committed.await;
            let first = committed.as_ref().ok().map(|done| done.positions.first);
            let changes = what.iter().zip(&entries).zip(0..);
            let changes: Vec<Changed> = changes
                .map(|(((event, target), entry), number)| Changed {
                    event: *event,
                    target: *target,
                    org_id: entry.org_id,
                    position: first.map(|first| first + number),
                })
                .collect();
            engine.forget_stale(&changes);
            let appended = committed?;
            for (place, letter) in letters {
                engine.post(Some(place), letter);
            }
            of_changes::post_of(&engine, &entries);
            let positions = appended.positions;
            let now = engine.clock.monotonic();
            engine.effects.note(&what, appended, now);
            Ok(positions)
        });
        committing.await.map_err(|_| StorageError::interrupted())?
    }
}
