//! Letters that follow from changes: someone was given the gravest rights or lost rights, or an organization closed itself to
//! some of its members. They are posted by a task after the commit, and no change depends on them.

use std::time::Duration;

use tokio::time::sleep;

use super::{Content, Letter, MailPlace, Sender};
use crate::{
    Engine,
    access::HAS_REQUIRED_FACTOR,
    accounts::attempts::{self, AttemptError, Subject},
    audit::NewEntry,
    caller::{Actor, Via},
    db::{StorageError, on},
    email::EmailAddress,
    event::{Event, Target},
    id::{OrgId, UserId},
    name::{DisplayName, Slug},
    role::Role,
};

/// The members that are read at once.
const MEMBERS_AT_ONCE: i64 = 100;
/// The time after which a letter looks for a place in the outbox again. An organization can have more members than places.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What letters are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Owner(OrgId, UserId),
    /// Someone has a role with fewer rights than before.
    Lowered(OrgId, UserId, Role),
    Removed(OrgId, UserId),
    Operator(UserId),
    NoOperator(UserId),
    FactorRequired(OrgId),
}

/// Posts the letters that follow from a change that was committed. Commands send none: they end at once.
pub(crate) fn post_of(engine: &Engine, entries: &[NewEntry]) {
    if !engine.sends_mail {
        return;
    }
    for entry in entries.iter().filter(|entry| entry.caller.via != Via::Cli) {
        if let Some(about) = About::of(entry) {
            let (posting, actor) = (engine.clone(), entry.caller.actor);
            engine.commits.spawn(async move {
                if let Err(error) = post(&posting, about, actor).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "an e-mail about a change was not sent");
                }
            });
        }
    }
}

impl About {
    fn of(entry: &NewEntry) -> Option<Self> {
        let became = |field: &str, value: serde_json::Value| {
            let change = entry.changes.get(field);
            change.is_some_and(|change| change["to"] == value)
        };
        let role =
            |end: &str| -> Option<Role> { entry.changes.get("role")?[end].as_str()?.parse().ok() };
        let about = match (entry.event, entry.target?, entry.org_id) {
            (Event::MemberRoleChanged, Target::User(user_id), Some(org_id))
                if became("role", Role::Owner.as_str().into()) =>
            {
                Self::Owner(org_id, user_id)
            }
            (Event::MemberRoleChanged, Target::User(user_id), Some(org_id)) => {
                let (from, to) = (role("from")?, role("to")?);
                // Roles are in the order of their rights, from the one with the most.
                let rank = |role: Role| Role::ALL.iter().position(|other| *other == role);
                if rank(to) <= rank(from) {
                    return None;
                }
                Self::Lowered(org_id, user_id, to)
            }
            (Event::MemberRemoved, Target::User(user_id), Some(org_id)) => {
                Self::Removed(org_id, user_id)
            }
            (Event::OperatorAdded, Target::User(user_id), _) => Self::Operator(user_id),
            (Event::OperatorRemoved, Target::User(user_id), _) => Self::NoOperator(user_id),
            (Event::OrgUpdated, Target::Org(org_id), _)
                if became("second_factor_required", true.into()) =>
            {
                Self::FactorRequired(org_id)
            }
            _ => return None,
        };
        // Whoever did it themselves knows, such as the first person who signs up.
        let own = entry.caller.actor.user_id();
        (own.is_none() || about.user_id() != own).then_some(about)
    }

    /// The person that it is about.
    fn user_id(self) -> Option<UserId> {
        match self {
            Self::Owner(_, id)
            | Self::Lowered(_, id, _)
            | Self::Removed(_, id)
            | Self::Operator(id)
            | Self::NoOperator(id) => Some(id),
            Self::FactorRequired(_) => None,
        }
    }

    /// The organization that the letter to the person names.
    fn org_id(self) -> Option<OrgId> {
        match self {
            Self::Owner(id, _) | Self::Lowered(id, ..) | Self::Removed(id, _) => Some(id),
            Self::Operator(_) | Self::NoOperator(_) | Self::FactorRequired(_) => None,
        }
    }

    fn budget(self) -> Subject<'static> {
        match self {
            Self::Owner(org_id, user_id) | Self::Lowered(org_id, user_id, _) => {
                Subject::RoleMails(Some(org_id), user_id)
            }
            Self::Operator(user_id) => Subject::RoleMails(None, user_id),
            Self::Removed(org_id, user_id) => Subject::EndMails(Some(org_id), user_id),
            Self::NoOperator(user_id) => Subject::EndMails(None, user_id),
            Self::FactorRequired(org_id) => Subject::FactorMails(org_id),
        }
    }
}

async fn post(engine: &Engine, about: About, actor: Actor) -> Result<(), StorageError> {
    if !is_role_still(engine, about).await? {
        return Ok(());
    }
    match attempts::count(engine, &[about.budget()]).await {
        Ok(_) => {}
        Err(AttemptError::TooMany { .. }) => return Ok(()),
        Err(AttemptError::Storage(error)) => return Err(error),
    }
    if let About::FactorRequired(org_id) = about {
        return to_those_without_factor(engine, org_id).await;
    }
    let Some(user_id) = about.user_id() else {
        return Ok(());
    };
    let to = match about.org_id() {
        Some(org_id) => address_in(engine, org_id, user_id).await?,
        None => address(engine, user_id).await?,
    };
    let (Some(to), Some(content)) = (to, content(engine, about, actor).await?) else {
        return Ok(());
    };
    engine.tell(user_id, Letter { to, content });
    Ok(())
}

/// Whether someone whose role was changed still has that role. Letters are posted in any order, and what is no longer true is
/// not sent.
async fn is_role_still(engine: &Engine, about: About) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT role FROM memberships WHERE org_id = $1 AND user_id = $2";
    let (org_id, user_id, role) = match about {
        About::Owner(org_id, user_id) => (org_id, user_id, Role::Owner),
        About::Lowered(org_id, user_id, role) => (org_id, user_id, role),
        _ => return Ok(true),
    };
    let now: Option<Role> = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(user_id).fetch_optional(c).await)?;
    Ok(now == Some(role))
}

/// What the letter to the person says. `None` if its organization was deleted meanwhile.
async fn content(
    engine: &Engine,
    about: About,
    actor: Actor,
) -> Result<Option<Content>, StorageError> {
    let by = name(engine, actor).await?;
    Ok(match about {
        About::Owner(org_id, _) => org(engine, org_id)
            .await?
            .map(|(org, slug)| Content::OwnerAdded { org, slug, by }),
        About::Lowered(org_id, _, role) => {
            let org = org(engine, org_id).await?;
            org.map(|(org, slug)| Content::RoleLowered {
                org,
                slug,
                role,
                by,
            })
        }
        About::Removed(org_id, _) => org(engine, org_id)
            .await?
            .map(|(org, _)| Content::MemberRemoved { org, by }),
        About::Operator(_) => Some(Content::OperatorAdded { by }),
        About::NoOperator(_) => Some(Content::OperatorRemoved { by }),
        About::FactorRequired(_) => None,
    })
}

/// Tells the members who cannot open the organization until they set up a second factor.
async fn to_those_without_factor(engine: &Engine, org_id: OrgId) -> Result<(), StorageError> {
    const SQL: &str = "SELECT users.id, users.email FROM memberships JOIN users ON users.id = memberships.user_id \
         JOIN orgs ON orgs.id = memberships.org_id AND orgs.second_factor_required AND orgs.deleted_at IS NULL \
         WHERE memberships.org_id = $1 AND users.disabled_at IS NULL AND users.email_confirmed \
         AND ($2 IS NULL OR memberships.user_id > $2) \
         AND NOT EXISTS (SELECT 1 FROM second_factors WHERE second_factors.user_id = users.id) \
         ORDER BY memberships.user_id LIMIT $3";
    let Some((org, _)) = org(engine, org_id).await? else {
        return Ok(());
    };
    let mut last: Option<UserId> = None;
    loop {
        let members: Vec<(UserId, EmailAddress)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
            .bind(org_id).bind(last).bind(MEMBERS_AT_ONCE).fetch_all(c).await)?;
        let Some((id, _)) = members.last() else {
            return Ok(());
        };
        last = Some(*id);
        for (_, to) in members {
            let Some(place) = next_place(engine, Sender::Members(org_id)).await else {
                return Ok(());
            };
            let content = Content::FactorRequired { org: org.clone() };
            engine.post(Some(place), Letter { to, content });
        }
    }
}

/// Waits for a place in the outbox. `None` if the process is ending.
async fn next_place(engine: &Engine, sender: Sender) -> Option<MailPlace> {
    loop {
        match engine.mail_place(sender) {
            Ok(place) => return place,
            Err(_) if engine.commits.is_closed() => {
                engine.outbox.note_dropped(sender);
                return None;
            }
            Err(_) => sleep(LOOK_AGAIN).await,
        }
    }
}

async fn org(engine: &Engine, org_id: OrgId) -> Result<Option<(DisplayName, Slug)>, StorageError> {
    const SQL: &str = "SELECT name, slug FROM orgs WHERE id = $1 AND deleted_at IS NULL";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(org_id).fetch_optional(c).await)?)
}

/// The address of someone who can open the organization, or could: the others learn nothing of it.
async fn address_in(
    engine: &Engine,
    org_id: OrgId,
    user_id: UserId,
) -> Result<Option<EmailAddress>, StorageError> {
    let sql = format!(
        "SELECT users.email FROM users JOIN orgs ON orgs.id = $2 AND {HAS_REQUIRED_FACTOR} \
         WHERE users.id = $1 AND users.disabled_at IS NULL AND users.email_confirmed"
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(user_id).bind(org_id).fetch_optional(c).await)?,
    )
}

/// The address of a user. An unconfirmed one is not known to be theirs.
async fn address(engine: &Engine, user_id: UserId) -> Result<Option<EmailAddress>, StorageError> {
    const SQL: &str =
        "SELECT email FROM users WHERE id = $1 AND disabled_at IS NULL AND email_confirmed";
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(user_id).fetch_optional(c).await)?)
}

/// The name of the user who made the change, if it was one.
async fn name(engine: &Engine, actor: Actor) -> Result<Option<DisplayName>, StorageError> {
    const SQL: &str = "SELECT name FROM users WHERE id = $1";
    let Some(user_id) = actor.user_id() else {
        return Ok(None);
    };
    Ok(on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(user_id).fetch_optional(c).await)?)
}
