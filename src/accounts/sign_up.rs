//! Creating an account together with a new org.

use crate::{
    Engine,
    access::Org,
    caller::{Person, Visit},
    change::{Events, Happened},
    db::{StorageError, Tx, on},
    email::EmailAddress,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    members,
    name::{DisplayName, Slug},
    operators,
    orgs::{self, CreateOrgError},
    random::RandomnessError,
    role::Role,
    time::Timestamp,
};

use super::{
    SignUpPolicy, User,
    attempts::{self, Attempt, AttemptError, Subject, minutes},
    hash_queues::HashFor,
    password::{self, NewPassword},
    sessions::SignedIn,
    setup_code,
};

/// What a user enters to sign up.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The user's display name.
    pub name: DisplayName,
    /// The user's email address.
    pub email: EmailAddress,
    /// The new password.
    pub password: NewPassword,
    /// The name of the new org.
    pub org_name: DisplayName,
    /// The setup code. Required for the first account, ignored afterwards.
    pub setup_code: String,
}

/// Why an account was not created.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The policy does not allow sign-up.
    #[error("Sign-up is closed. Ask an owner of your organization to invite you.")]
    NotOpen,
    /// The address already has an account. Returned only while sign-up is open.
    #[error(
        "You cannot sign up with this e-mail address. If you have an account, sign in instead."
    )]
    NotAvailable,
    /// There is no account yet, and the setup code is incorrect.
    #[error(
        "The setup code is incorrect. `latchkey serve` prints it when it starts, and `latchkey setup-link` prints it again."
    )]
    WrongSetupCode,
    /// Too many incorrect codes, or too many new accounts, from one network.
    #[error("Too many attempts. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next attempt is possible.
        retry_after: i64,
    },
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(SignUpError);

impl From<CreateOrgError> for SignUpError {
    fn from(error: CreateOrgError) -> Self {
        match error {
            CreateOrgError::SlugTaken(_) | CreateOrgError::AlreadyCreated(_) => Self::NotAvailable,
            CreateOrgError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Who can sign up now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaySignUp {
    /// Anyone who has the setup code, as there is no account yet.
    First,
    /// Everyone.
    Everyone,
    /// No one.
    NoOne,
}

/// Returns who can sign up now.
///
/// # Errors
/// If the database cannot be reached.
pub async fn may_sign_up(engine: &Engine) -> Result<MaySignUp, StorageError> {
    Ok(match engine.sign_up {
        SignUpPolicy::Closed => MaySignUp::NoOne,
        _ if is_first(engine).await? => MaySignUp::First,
        SignUpPolicy::Open => MaySignUp::Everyone,
        SignUpPolicy::Invite => MaySignUp::NoOne,
    })
}

/// Whether there is no account yet, so that the next one is the first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn is_first(engine: &Engine) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM users LIMIT 1";
    Ok(
        on!(engine.db.read(), c => sqlx::query(SQL).fetch_optional(c).await.map(|row| row.is_none()))?,
    )
}

/// Creates the account and an org that it owns. `visit` describes the request.
///
/// The account is signed in immediately, without confirming its address, so the response reveals whether the address
/// was free. A network can try this at most ten times in 15 minutes.
///
/// # Errors
/// If sign-up is not open, the setup code is incorrect or the address already has an account.
pub async fn sign_up(
    engine: &Engine,
    new: SignUp,
    visit: Visit,
) -> Result<(SignedIn, Org), SignUpError> {
    let may = may_sign_up(engine).await?;
    match may {
        MaySignUp::NoOne => return Err(SignUpError::NotOpen),
        MaySignUp::First => {
            let attempt = attempt(engine, Subject::SetupCode(&visit)).await?;
            if !setup_code::is_right(engine, &new.setup_code) {
                return Err(SignUpError::WrongSetupCode);
            }
            attempt.take_back(engine).await?;
        }
        MaySignUp::Everyone => {}
    }
    let place = engine.hashing.enter(HashFor::of_visit(&visit))?;
    let attempt = attempt(engine, Subject::SignUp(&visit)).await?;
    let password_hash = match password::hash(engine, place, new.password).await {
        Ok(hash) => hash,
        Err(fault) => {
            attempt.take_back(engine).await?;
            return Err(fault.into());
        }
    };
    let user_id = new_user_id(engine)?;
    let person = Person { user_id, visit };
    let mut change = engine.change_of_new_org(person.into()).await?;
    // Checked again under the lock: of two concurrent first sign-ups, only one is the first, and becomes an operator. The
    // other one needs open sign-up.
    let is_first = may == MaySignUp::First && lock_while_empty(change.tx()).await?;
    if may == MaySignUp::First && !is_first && engine.sign_up != SignUpPolicy::Open {
        return Err(SignUpError::NotOpen);
    }
    let org = orgs::insert_numbered(
        engine,
        change.tx(),
        &new.org_name,
        &Slug::from_name(&new.org_name),
        None,
    )
    .await?;
    let now = engine.clock.now();
    let user = User {
        id: user_id,
        name: new.name,
        email: new.email,
    };
    if !insert_user(change.tx(), &user, &password_hash, now).await? {
        return Err(SignUpError::NotAvailable);
    }
    members::insert(change.tx(), org.id, user_id, Role::Owner, now).await?;
    change.is_of(org.id);
    let mut events = vec![
        Happened::new(Event::OrgCreated, Target::Org(org.id)),
        joined(user_id, Role::Owner),
    ];
    if is_first {
        events.extend(operators::mark_in(change.tx(), user_id, now).await?);
    }
    if let Some(events) = Events::several(events) {
        change.commit(events).await?;
    }
    Ok((SignedIn { user_id, epoch: 0 }, org))
}

/// Counts an attempt for one subject.
async fn attempt(engine: &Engine, subject: Subject<'_>) -> Result<Attempt, SignUpError> {
    match attempts::count(engine, &[subject]).await {
        Ok(attempt) => Ok(attempt),
        Err(AttemptError::TooMany { retry_after }) => Err(SignUpError::TooMany { retry_after }),
        Err(AttemptError::Storage(error)) => Err(error.into()),
    }
}

/// The event that a user joined an org with a role.
pub(crate) fn joined(user_id: UserId, role: Role) -> Happened {
    let joined = Happened::new(Event::MemberJoined, Target::User(user_id));
    joined.changed("role", None::<&str>, role.to_string())
}

/// Whether there are no users. The result holds until the transaction ends.
async fn lock_while_empty(tx: &mut Tx) -> Result<bool, StorageError> {
    if let crate::db::On::Postgres(c) = tx.on() {
        // SQLite's transaction already holds the only write lock; on Postgres the table must be locked.
        sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
            .execute(c)
            .await?;
    }
    const SQL: &str = "SELECT 1 FROM users LIMIT 1";
    Ok(on!(tx.on(), c => sqlx::query(SQL).fetch_optional(c).await.map(|row| row.is_none()))?)
}

/// Generates an ID for a new user.
pub(crate) fn new_user_id(engine: &Engine) -> Result<UserId, RandomnessError> {
    Ok(UserId::new(
        engine.clock.now().as_millis(),
        engine.random.bytes()?,
    ))
}

/// Inserts a user unless the address already has an account. Returns whether it was inserted.
pub(crate) async fn insert_user(
    tx: &mut Tx,
    user: &User,
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, StorageError> {
    const SQL: &str = "INSERT INTO users (id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (email) DO NOTHING";
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(user.id).bind(user.email.clone()).bind(user.name.clone()).bind(password_hash).bind(now)
        .execute(c).await.map(|done| done.rows_affected() == 1))?)
}
