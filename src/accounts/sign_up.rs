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
    mail::{Content, Letter, MailPlace, Sender},
    members,
    name::{DisplayName, Slug},
    operators,
    orgs::{self, CreateOrgError},
    random::RandomnessError,
    role::Role,
    search::folded,
    time::Timestamp,
};

use super::{
    SignUpPolicy, User,
    attempts::{self, Attempt, AttemptError, Subject, minutes},
    hash_queues::HashFor,
    links::{self, AccountToken, LinkKind},
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
    /// The link was used or replaced, or has expired.
    #[error("This link was used or replaced, or has expired. Request a new one.")]
    Gone,
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
    // Rows of users are never deleted. Every page of sign-in asks this, and nothing limits how many strangers ask for one.
    if engine.has_users.get().is_some() {
        return Ok(false);
    }
    let is_first: bool = on!(engine.db.read(), c => sqlx::query(SQL).fetch_optional(c).await.map(|row| row.is_none()))?;
    if !is_first {
        engine.has_users.get_or_init(|| ());
    }
    Ok(is_first)
}

/// Creates the account and an org that it owns. `visit` describes the request.
///
/// Without mail, the account is signed in immediately, and its address is not confirmed, so the response reveals whether
/// the address was free. A network can try this at most ten times in 15 minutes. With mail, only the first account is
/// created like this, and everyone else signs up with [`request`].
///
/// # Errors
/// If sign-up is not open, the setup code is incorrect or the address already has an account.
pub async fn sign_up(
    engine: &Engine,
    new: SignUp,
    visit: Visit,
) -> Result<(SignedIn, Org), SignUpError> {
    let allowed = match may_sign_up(engine).await? {
        MaySignUp::NoOne => return Err(SignUpError::NotOpen),
        MaySignUp::Everyone if engine.sends_mail => return Err(SignUpError::NotOpen),
        MaySignUp::Everyone => Allowed::Unconfirmed,
        MaySignUp::First => {
            let attempt = attempt(engine, Subject::SetupCode(&visit)).await?;
            if !setup_code::is_right(engine, &new.setup_code) {
                return Err(SignUpError::WrongSetupCode);
            }
            attempt.take_back(engine).await?;
            Allowed::First
        }
    };
    create(engine, new, visit, allowed).await
}

/// What allows someone to sign up.
#[derive(Debug)]
enum Allowed {
    /// The setup code.
    First,
    /// The policy.
    Unconfirmed,
    /// A link that was sent to the address.
    Link(AccountToken),
}

async fn create(
    engine: &Engine,
    new: SignUp,
    visit: Visit,
    allowed: Allowed,
) -> Result<(SignedIn, Org), SignUpError> {
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
    // The first account becomes an operator.
    let mut is_first = false;
    match &allowed {
        // Checked again under the lock: of two concurrent first sign-ups, only one is the first. The other one needs
        // open sign-up.
        Allowed::First => {
            is_first = lock_while_empty(change.tx()).await?;
            let may_be_later = engine.sign_up == SignUpPolicy::Open && !engine.sends_mail;
            if !is_first && !may_be_later {
                return Err(SignUpError::NotOpen);
            }
        }
        Allowed::Unconfirmed => {}
        Allowed::Link(token) => {
            let spent = links::spend(engine, change.tx(), LinkKind::SignUp, token).await?;
            if spent.is_none_or(|spent| spent.email != new.email) {
                return Err(SignUpError::Gone);
            }
        }
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
        email_confirmed: !matches!(allowed, Allowed::Unconfirmed),
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

/// Sends a link to an address, with which someone new signs up. An address that has an account gets a letter that says
/// so. Everything that depends on the account happens after this returns.
///
/// # Errors
/// If sign-up is not open, or the network has sent too many requests.
pub async fn request(
    engine: &Engine,
    email: EmailAddress,
    visit: Visit,
) -> Result<(), SignUpError> {
    if may_sign_up(engine).await? != MaySignUp::Everyone {
        return Err(SignUpError::NotOpen);
    }
    let _ = attempt(engine, Subject::SignUp(&visit)).await?;
    let sender = Sender::of_visit(&visit);
    let Ok(Some(place)) = engine.mail_place(sender) else {
        engine.outbox.note_dropped(sender);
        return Ok(());
    };
    let sending = engine.clone();
    engine.commits.spawn(async move {
        if let Err(fault) = send_link(&sending, place, email).await {
            tracing::error!(
                error = &fault as &dyn std::error::Error,
                "failed to create a link to sign up"
            );
        }
    });
    Ok(())
}

async fn send_link(engine: &Engine, place: MailPlace, email: EmailAddress) -> Result<(), Fault> {
    match attempts::count(engine, &[Subject::SignUpMails(&email)]).await {
        Ok(_) => {}
        Err(AttemptError::TooMany { .. }) => return Ok(()),
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    }
    let mut tx = engine.db.begin_unrecorded().await?;
    // The same writes for every address: on SQLite, the requests that follow wait for them.
    let Some(token) = links::insert_sign_up(engine, &mut tx, &email).await? else {
        return Ok(());
    };
    let content = if is_known(&mut tx, &email).await? {
        links::take_back(engine, &mut tx, &token).await?;
        Content::HasAccount
    } else {
        Content::SignUp(token)
    };
    tx.commit().await?;
    engine.post(Some(place), Letter { to: email, content });
    Ok(())
}

async fn is_known(tx: &mut Tx, email: &EmailAddress) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM users WHERE email = $1";
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(email.clone()).fetch_optional(c).await.map(|row| row.is_some()))?)
}

/// Creates the account and an org that it owns, with a link that was sent to `new.email`, which is confirmed. The setup
/// code is ignored.
///
/// # Errors
/// If the link was used or replaced, or has expired, or sign-up is no longer open.
pub async fn finish(
    engine: &Engine,
    token: &AccountToken,
    new: SignUp,
    visit: Visit,
) -> Result<(SignedIn, Org), SignUpError> {
    if may_sign_up(engine).await? != MaySignUp::Everyone {
        return Err(SignUpError::NotOpen);
    }
    // Checked before the hash, which is expensive.
    if links::open_sign_up(engine, token).await?.is_none() {
        return Err(SignUpError::Gone);
    }
    create(engine, new, visit, Allowed::Link(token.clone())).await
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
    const SQL: &str = "INSERT INTO users (id, email, email_confirmed, name, search, password_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email) DO NOTHING";
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(user.id).bind(user.email.clone()).bind(user.email_confirmed).bind(user.name.clone())
        .bind(folded(user.name.as_str())).bind(password_hash).bind(now)
        .execute(c).await.map(|done| done.rows_affected() == 1))?)
}
