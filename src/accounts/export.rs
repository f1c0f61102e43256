//! What is stored about a person, for themselves.

mod read;

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};
use tokio_util::sync::CancellationToken;

use self::read::List;
use crate::{
    Engine,
    access::{Org, session_lasts},
    audit::security_events::{Log, SecurityEvent},
    caller::{Client, Person, System},
    db::StorageError,
    email::EmailAddress,
    event::Event,
    fault::Fault,
    id::UserId,
    name::DisplayName,
    party::Party,
    role::Role,
    time::Timestamp,
    work_queue::{Busy, Place},
};

/// The maximum number of rows of each list in an export: the newest. 10,000 log entries take about 3 MB.
pub const MAX_ENTRIES: usize = 10_000;

/// A part of what is stored about a person. Lists come in several parts, one after the other; each list has at least one.
#[derive(Debug, Clone)]
pub enum Part {
    /// The account.
    Account(Box<AccountData>),
    /// The memberships, oldest first, at most [`MAX_ENTRIES`].
    Memberships(Vec<MembershipData>),
    /// The sessions that have not ended, oldest first, at most [`MAX_ENTRIES`].
    Sessions(Vec<SessionData>),
    /// The requests for keys that the person has made and that are still kept, newest first, at most [`MAX_ENTRIES`].
    Requests(Vec<RequestData>),
    /// The requests of others that the person has decided, newest first, at most [`MAX_ENTRIES`].
    Decisions(Vec<DecisionData>),
    /// The reviews of keys that the person has made, newest first, at most [`MAX_ENTRIES`].
    Reviews(Vec<ReviewData>),
    /// What the person has answered to reviews of others, newest first, at most [`MAX_ENTRIES`].
    Answers(Vec<AnswerData>),
    /// The person's own entries in the audit log, newest first, at most [`MAX_ENTRIES`].
    Entries(Vec<EntryData>),
    /// The end: whether there are older entries.
    HasMoreEntries(bool),
}

/// An account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AccountData {
    /// The user's ID.
    pub id: UserId,
    /// The name.
    pub name: DisplayName,
    /// The e-mail address.
    pub email: EmailAddress,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When the user last used the pages, to some minutes.
    pub last_seen_at: Option<Timestamp>,
    /// Since when the user is an operator.
    pub operator_since: Option<Timestamp>,
}

/// A membership.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MembershipData {
    /// The organization.
    #[sqlx(flatten)]
    pub org: Org,
    /// The role.
    pub role: Role,
    /// When the user joined.
    pub created_at: Timestamp,
}

/// A session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SessionData {
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends unless it is used again.
    pub expires_at: Timestamp,
    /// The browser.
    pub client: Option<Client>,
    /// The operating system.
    pub system: Option<System>,
    /// The /24 or /64 of the address from which it was started.
    pub network: Option<String>,
}

/// A request for a key. Without the key's settings, which belong to the organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct RequestData {
    /// The ID of the organization.
    pub org_id: String,
    /// The name of the key.
    pub name: String,
    /// What the person needs it for.
    pub purpose: String,
    /// When they asked.
    pub created_at: Timestamp,
    /// What has been noted of it: an approval that nobody used in time can still be `approved`.
    pub state: String,
}

/// What the person decided about someone else's request.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DecisionData {
    /// The ID of the organization.
    pub org_id: String,
    /// The ID of the request.
    pub id: String,
    /// Whether they approved it. If not, they declined it.
    pub approved: bool,
    /// What they said.
    pub comment: String,
    /// When.
    pub decided_at: Timestamp,
}

/// A review of a key. Without what the reviewer saw, which belongs to the organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReviewData {
    /// The ID of the organization.
    pub org_id: String,
    /// The ID of the key.
    pub key_id: String,
    /// What they concluded.
    pub verdict: String,
    /// What they said.
    pub comment: String,
    /// When.
    pub at: Timestamp,
}

/// An answer to a review of a key.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AnswerData {
    /// The ID of the organization.
    pub org_id: String,
    /// The ID of the key.
    pub key_id: String,
    /// What they said.
    pub answer: String,
    /// When.
    pub answered_at: Timestamp,
    /// Whether they promised to do what was asked.
    pub is_promise: bool,
}

/// An entry that the person caused. Without what it changed, which belongs to the organization.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EntryData {
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: String,
    /// The interface that was used.
    pub via: String,
    /// The ID of the organization.
    pub org_id: Option<String>,
    /// What it is about.
    pub target_kind: Option<String>,
    /// The ID of what it is about.
    pub target_id: Option<String>,
    /// The network of the client.
    pub network: Option<String>,
    /// The whole address of the client, for as long as it is kept.
    pub address: Option<String>,
    /// The type of the client.
    pub client: Option<String>,
    /// The ID of the request.
    pub request_id: Option<String>,
}

/// An export in progress. It reads one part after another, each in a turn of the queue of exports, where it has a place until
/// it is dropped.
#[derive(Debug)]
pub struct Export {
    engine: Engine,
    person: Person,
    next: Next,
    /// The rows of the current list so far, and the place of the last one.
    rows: usize,
    after: Option<String>,
    /// Whether more rows of it are stored.
    has_more: bool,
    /// `None` while a part is prepared.
    place: Option<Place<Party>>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Account,
    Memberships,
    Sessions,
    Requests,
    Decisions,
    Reviews,
    Answers,
    Entries,
    HasMoreEntries,
    Nothing,
}

impl Export {
    /// Begins the export of what is stored about a signed-in user.
    ///
    /// # Errors
    /// If too many exports are in progress, in total or of this person.
    pub async fn begin(engine: &Engine, person: &Person) -> Result<Self, Busy> {
        let place = engine
            .exporting
            .enter_in_line(Party::Person(person.user_id))
            .await?;
        Ok(Self {
            engine: engine.clone(),
            person: person.clone(),
            next: Next::Account,
            rows: 0,
            after: None,
            has_more: false,
            place: Some(place),
        })
    }

    /// Cancelled when the place is given to someone who has none.
    pub fn lost(&self) -> CancellationToken {
        self.place.as_ref().map(Place::lost).unwrap_or_default()
    }

    /// Reads the next part and renders it, on a thread of the queue. Returns `None` at the end, or if the account was deleted
    /// or the session has ended.
    ///
    /// # Errors
    /// If the database cannot be reached, the place was given to someone else, or the process is ending.
    pub async fn next<T: Send + 'static>(
        &mut self,
        render: impl FnOnce(Part) -> T + Send + 'static,
    ) -> Result<Option<T>, Fault> {
        let Some(place) = self.place.take() else {
            return Ok(None);
        };
        let turn = place.begin().await?;
        let Some(part) = self.read().await? else {
            return Ok(None);
        };
        let (rendered, turn) = turn.run(move || render(part)).await?;
        self.place = Some(turn.end());
        Ok(Some(rendered))
    }

    /// Records that the person exported their data.
    pub fn note(&self) {
        let caller = self.person.clone().into();
        let exported = SecurityEvent::new(Event::ExportMade, caller, Log::NoOrgs);
        self.engine.note(exported.with("of", "account"));
    }

    async fn read(&mut self) -> Result<Option<Part>, StorageError> {
        if self.next == Next::Nothing || !session_lasts(&self.engine, &self.person).await? {
            return Ok(None);
        }
        let (engine, user_id) = (self.engine.clone(), self.person.user_id);
        let part = match self.next {
            Next::Account => {
                let Some(account) = read::account(&engine, user_id).await? else {
                    return Ok(None);
                };
                self.next = Next::Memberships;
                Part::Account(Box::new(account))
            }
            Next::Memberships => {
                self.next = Next::Sessions;
                Part::Memberships(read::memberships(&engine, user_id).await?)
            }
            Next::Sessions => {
                self.next = Next::Requests;
                Part::Sessions(read::sessions(&engine, user_id).await?)
            }
            Next::Requests => Part::Requests(self.rows(read::REQUESTS, Next::Decisions).await?),
            Next::Decisions => Part::Decisions(self.rows(read::DECISIONS, Next::Reviews).await?),
            Next::Reviews => Part::Reviews(self.rows(read::REVIEWS, Next::Answers).await?),
            Next::Answers => Part::Answers(self.rows(read::ANSWERS, Next::Entries).await?),
            Next::Entries => Part::Entries(self.rows(read::ENTRIES, Next::HasMoreEntries).await?),
            Next::HasMoreEntries => {
                self.next = Next::Nothing;
                Part::HasMoreEntries(self.has_more)
            }
            Next::Nothing => return Ok(None),
        };
        Ok(Some(part))
    }

    /// Reads the next rows of a list. `then` comes after its end.
    async fn rows<T>(&mut self, list: List, then: Next) -> Result<Vec<T>, StorageError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let after = self.after.take();
        let (rows, after) = read::rows(&self.engine, list, self.person.user_id, after).await?;
        self.rows += rows.len();
        self.has_more = after.is_some();
        if after.is_none() || self.rows >= MAX_ENTRIES {
            (self.next, self.rows) = (then, 0);
        } else {
            self.after = after;
        }
        Ok(rows)
    }
}
