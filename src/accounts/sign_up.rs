//! Creating an account and an org of one's own.

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
    name::{DisplayName, Slug},
    orgs::{self, CreateOrgError},
    random::RandomnessError,
    role::Role,
    time::Timestamp,
};

use super::{
    SignUpPolicy, User,
    attempts::{self, Attempt, AttemptError, Subject, minutes},
    password::{self, HashFor, NewPassword},
    sessions::SignedIn,
    setup_code,
};

/// What someone enters to sign up.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Their name.
    pub name: DisplayName,
    /// Their address.
    pub email: EmailAddress,
    /// The password they chose.
    pub password: NewPassword,
    /// The name of the org they make.
    pub org_name: DisplayName,
    /// The code that the first account needs; anything afterwards.
    pub setup_code: String,
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The policy lets no one sign up.
    #[error("Sign-up is closed. Ask an owner of your organization to add you.")]
    NotOpen,
    /// The address has an account. Only an instance with open sign-up ever says so.
    #[error(
        "You cannot sign up with this e-mail address. If you have an account, sign in instead."
    )]
    NotAvailable,
    /// There is no account yet, and the code is not the one of this instance.
    #[error(
        "The setup code is incorrect. `latchkey serve` prints it when it starts, and `latchkey setup-link` prints it again."
    )]
    WrongSetupCode,
    /// Too many wrong codes, or too many accounts, from one network.
    #[error("Too many attempts. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next try.
        retry_after: i64,
    },
    /// It failed on our side.
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
    /// Whoever has the setup code: there is no account yet.
    First,
    /// Everyone.
    Everyone,
    /// No one.
    NoOne,
}

/// Who can sign up now.
///
/// # Errors
/// When the database cannot be asked.
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
/// When the database cannot be asked.
pub async fn is_first(engine: &Engine) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM users LIMIT 1";
    Ok(
        on!(engine.db.read(), c => sqlx::query(SQL).fetch_optional(c).await.map(|row| row.is_none()))?,
    )
}

/// Makes the account and its org, of which the person is the owner. `visit` is the request.
///
/// An account without a confirmed address signs in immediately, so the answer shows whether the address was free. A network
/// asks that ten times in 15 minutes at most.
///
/// # Errors
/// When sign-up is not open, the setup code is wrong or the address has an account.
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
    let attempt = attempt(engine, Subject::SignUp(&visit)).await?;
    let password_hash = match password::hash(engine, new.password, HashFor::of_visit(&visit)).await
    {
        Ok(hash) => hash,
        Err(fault) => {
            attempt.take_back(engine).await?;
            return Err(fault.into());
        }
    };
    let user_id = new_user_id(engine)?;
    let person = Person { user_id, visit };
    let mut change = engine.change_of_new_org(person.into()).await?;
    // Asked again under the lock: of two first sign-ups at once, one is the first. The other needs an open sign-up.
    let must_be_first = may == MaySignUp::First && engine.sign_up != SignUpPolicy::Open;
    if must_be_first && !lock_while_empty(change.tx()).await? {
        return Err(SignUpError::NotOpen);
    }
    let org = orgs::insert_numbered(
        engine,
        change.tx(),
        &new.org_name,
        &Slug::from_name(&new.org_name),
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
    orgs::insert_membership(change.tx(), org.id, user_id, Role::Owner, now).await?;
    change.is_of(org.id);
    let events = vec![
        Happened::new(Event::OrgCreated, Target::Org(org.id)),
        joined(user_id, Role::Owner),
    ];
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

/// Someone became a member with a role.
pub(super) fn joined(user_id: UserId, role: Role) -> Happened {
    let joined = Happened::new(Event::MemberJoined, Target::User(user_id));
    joined.changed("role", None::<&str>, role.to_string())
}

/// Whether there is no user, in a way that stays true until the transaction ends.
async fn lock_while_empty(tx: &mut Tx) -> Result<bool, StorageError> {
    if let crate::db::On::Postgres(c) = tx.on() {
        // SQLite's transaction holds the only write lock already; Postgres's must ask for this one.
        sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
            .execute(c)
            .await?;
    }
    const SQL: &str = "SELECT 1 FROM users LIMIT 1";
    Ok(on!(tx.on(), c => sqlx::query(SQL).fetch_optional(c).await.map(|row| row.is_none()))?)
}

/// An id for someone whose account is to be created.
pub(super) fn new_user_id(engine: &Engine) -> Result<UserId, RandomnessError> {
    Ok(UserId::new(
        engine.clock.now().as_millis(),
        engine.random.bytes()?,
    ))
}

/// Inserts a person, unless the address has an account, and says whether it did.
pub(super) async fn insert_user(
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
