//! Authorization. Queries on an org's data take a [`Permit`], and only this module creates permits. So no code can
//! access the data without checking who the caller is and whether their role allows the action.

mod rights_of_sessions;
mod still_holds;

use std::marker::PhantomData;

pub use self::rights_of_sessions::{rights_of_sessions, still_lasts};
pub(crate) use self::still_holds::{
    operator_still_is, session_lasts, session_still_lives, still_holds,
};

use crate::{
    Engine,
    accounts::confirmed::{Confirmed, PasswordNeeded},
    audit::security_events::{Log, SecurityEvent},
    caller::{Actor, Caller, Person, Via, Visit},
    db::{StorageError, on},
    event::Event,
    fault::{Fault, from_fault},
    id::{OrgId, UserId},
    name::{DisplayName, Slug},
    role::{Action, Rights, TokenScope, with_actions},
    service_tokens::ServiceToken,
};

/// An org, with the fields that all its members can see.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Org {
    /// The org's ID.
    pub id: OrgId,
    /// The org's name in URLs.
    pub slug: Slug,
    /// The org's display name.
    pub name: DisplayName,
}

/// Proof that a user is a member of an org, with their role there.
#[derive(Debug, Clone)]
pub struct Membership {
    engine: Engine,
    org: Org,
    person: Person,
    rights: Rights,
}

/// The operator of the instance, who is outside every org. Created only for the command line, for a service token with
/// the scope `manage`, or for a signed-in user who is marked as an operator.
#[derive(Debug, Clone)]
pub struct Operator(Caller);

/// Proof that a request came with an organization's own service token, which reaches that organization alone.
#[derive(Debug, Clone)]
pub struct OrgToken {
    engine: Engine,
    org: Org,
    scope: TokenScope,
    caller: Caller,
    /// Whoever created it, if they are still a member of the organization.
    person: Option<UserId>,
}

/// Proof that a caller is allowed to do `A` in one org.
#[derive(Debug, Clone)]
pub struct Permit<A> {
    org_id: OrgId,
    caller: Caller,
    /// The user, or who created the token.
    person: Option<UserId>,
    is_confirmed: bool,
    basis: Basis,
    action: Action,
    of: PhantomData<A>,
}

/// What a permit is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    Member,
    /// A member who leaves, which needs no second factor.
    LeavingMember,
    OrgToken,
    Operator,
}

/// Whether a user has the second factor that an org requires of its members, as SQL over a table of users and one of orgs.
/// Without it, they see nothing of the org, are sent nothing about it, and what they approved or offered waits.
macro_rules! has_required_factor {
    ($users:literal, $orgs:literal) => {
        concat!(
            "(NOT ",
            $orgs,
            ".second_factor_required OR EXISTS (SELECT 1 FROM second_factors WHERE second_factors.user_id = ",
            $users,
            ".id))"
        )
    };
}
pub(crate) use has_required_factor;

/// The same over the tables `users` and `orgs`.
pub(crate) const HAS_REQUIRED_FACTOR: &str = has_required_factor!("users", "orgs");

/// An action as a type, so that a permit for one cannot be used for another.
pub trait Permitted {
    /// The action that is checked against the role.
    const ACTION: Action;
}

macro_rules! permitted {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// The actions of [`Action`] as types.
        pub mod to {
            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy)]
                pub struct $name;
                impl super::Permitted for $name {
                    const ACTION: crate::role::Action = crate::role::Action::$name;
                }
            )*
        }
    };
}

with_actions!(permitted);

/// Why access was denied.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// There is no such org, or the user is not a member of it. Both cases return the same message.
    #[error("The organization was not found, or you are not a member of it.")]
    NotFound,
    /// The user was a member of the org with this slug, and has left or was removed. Only they learn that it exists.
    #[error("You are no longer a member of {0}. Ask an owner to invite you again.")]
    NoLongerMember(Slug),
    /// The role does not allow the action.
    #[error("You don't have permission to {}. Ask an owner of the organization.", .0.text())]
    Forbidden(Action),
    /// The org requires a second factor, and the user has none.
    #[error("{} requires a second factor. Set one up in your account.", .0.name)]
    SecondFactorNeeded(Box<Org>),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(AccessError);

impl Membership {
    /// Finds the membership of a user in the org with this slug.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] if there is no such org or the user was never a member of it,
    /// [`AccessError::NoLongerMember`] if they were one, and [`AccessError::SecondFactorNeeded`] if the org requires a second factor and the user has none.
    pub async fn find(engine: &Engine, person: Person, slug: &Slug) -> Result<Self, AccessError> {
        let (membership, lacks_factor) = Self::read(engine, person, slug).await?;
        if lacks_factor {
            return Err(AccessError::SecondFactorNeeded(Box::new(membership.org)));
        }
        Ok(membership)
    }

    /// Returns the permit to leave the org, which needs no second factor.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] if there is no such org or the user is not a member of it.
    pub async fn permit_to_leave(
        engine: &Engine,
        person: Person,
        slug: &Slug,
    ) -> Result<Permit<to::LeaveOrg>, AccessError> {
        let (membership, _) = Self::read(engine, person, slug).await?;
        let permit = membership.permit()?;
        Ok(Permit {
            basis: Basis::LeavingMember,
            ..permit
        })
    }

    /// Reads a membership, and whether the user lacks a second factor that the org requires.
    async fn read(
        engine: &Engine,
        person: Person,
        slug: &Slug,
    ) -> Result<(Self, bool), AccessError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            org: Org,
            #[sqlx(flatten)]
            rights: Rights,
            second_factor_required: bool,
            has_second_factor: bool,
        }
        const SQL: &str = "SELECT orgs.id, orgs.slug, orgs.name, orgs.admin_rights, orgs.second_factor_required, memberships.role, \
             EXISTS (SELECT 1 FROM second_factors WHERE second_factors.user_id = memberships.user_id) AS has_second_factor \
             FROM memberships JOIN orgs ON orgs.id = memberships.org_id \
             WHERE memberships.user_id = $1 AND orgs.slug = $2 AND orgs.deleted_at IS NULL";
        let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(SQL).bind(person.user_id).bind(slug.clone()).fetch_optional(c).await)?;
        let Some(row) = row else {
            return Err(match was_member(engine, person.user_id, slug).await? {
                true => AccessError::NoLongerMember(slug.clone()),
                false => AccessError::NotFound,
            });
        };
        let membership = Self {
            engine: engine.clone(),
            org: row.org,
            person,
            rights: row.rights,
        };
        Ok((
            membership,
            row.second_factor_required && !row.has_second_factor,
        ))
    }

    /// The org of the membership.
    pub fn org(&self) -> &Org {
        &self.org
    }

    /// The user's permissions in the org.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Whether the user can do `action` in the org. A permit is still needed to do it.
    pub fn may(&self, action: Action) -> bool {
        self.rights.may(action)
    }

    /// Returns the permit to do `A` in this org. A denial is recorded in the audit log.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] if the role does not allow the action.
    pub fn permit<A: Permitted>(&self) -> Result<Permit<A>, AccessError> {
        self.permit_if_allowed().ok_or_else(|| {
            let caller = self.person.clone().into();
            let denied = SecurityEvent::new(Event::AccessDenied, caller, Log::Org(self.org.id));
            self.engine
                .note(denied.with("action", serde_json::json!(A::ACTION)));
            AccessError::Forbidden(A::ACTION)
        })
    }

    /// Returns the permit to do `A` if the role allows it, without recording a denial. For parts of a page that are
    /// hidden otherwise.
    pub fn permit_if_allowed<A: Permitted>(&self) -> Option<Permit<A>> {
        self.may(A::ACTION)
            .then(|| Permit::new(self.org.id, self.person.clone().into(), Basis::Member))
    }
}

/// Whether the audit log of the org with this slug says that the user left it or was removed.
async fn was_member(engine: &Engine, user_id: UserId, slug: &Slug) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM orgs JOIN audit_log ON audit_log.org_id = orgs.id AND audit_log.target_id = $1 \
         AND audit_log.target_kind = 'user' AND audit_log.event IN ($2, $3) \
         WHERE orgs.slug = $4 AND orgs.deleted_at IS NULL LIMIT 1";
    Ok(on!(engine.db.read(), c => sqlx::query(SQL)
        .bind(user_id).bind(Event::MemberRemoved.as_str()).bind(Event::MemberLeft.as_str()).bind(slug.clone())
        .fetch_optional(c).await.map(|row| row.is_some()))?)
}

impl Operator {
    /// The operator on the command line: anyone who can run the program with its settings.
    pub const fn at_the_command_line() -> Self {
        Self(Caller::command_line())
    }

    /// The operator that a signed-in user is, or `None` if they are not marked as one. Read from the database on each
    /// request, so that the end of a mark takes effect immediately in all sessions and on all instances.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn signed_in(engine: &Engine, person: Person) -> Result<Option<Self>, StorageError> {
        const SQL: &str = "SELECT 1 FROM users WHERE id = $1 AND operator_since IS NOT NULL AND disabled_at IS NULL";
        let is_operator = on!(engine.db.read(), c => sqlx::query(SQL)
            .bind(person.user_id).fetch_optional(c).await.map(|row| row.is_some()))?;
        Ok(is_operator.then(|| Self(person.into())))
    }

    /// Returns the operator on whose behalf a service token acts, or `None` unless the token is for the whole instance
    /// and its scope is `manage`. A denial is recorded in the audit log.
    pub fn with_token(engine: &Engine, token: &ServiceToken, visit: Visit) -> Option<Self> {
        let caller = token_caller(token, visit);
        if token.scope == TokenScope::Manage && token.org_id.is_none() {
            return Some(Self(caller));
        }
        let log = token.org_id.map_or(Log::NoOrgs, Log::Org);
        engine.note(SecurityEvent::new(Event::AccessDenied, caller, log));
        None
    }

    /// Returns the permit to do `A` in any org.
    pub fn permit<A: Permitted>(&self, org: &Org) -> Permit<A> {
        Permit::new(org.id, self.0.clone(), Basis::Operator)
    }

    /// The caller to record in the audit log.
    pub fn caller(&self) -> &Caller {
        &self.0
    }
}

fn token_caller(token: &ServiceToken, visit: Visit) -> Caller {
    Caller {
        actor: Actor::Token(token.id),
        via: Via::Api,
        visit,
    }
}

impl OrgToken {
    /// Returns the access of an organization's own token, or `None` for a token of the operator.
    ///
    /// # Errors
    /// If the organization does not exist, or the database cannot be reached.
    pub async fn find(
        engine: &Engine,
        token: &ServiceToken,
        visit: Visit,
    ) -> Result<Option<Self>, AccessError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            org: Org,
            person: Option<UserId>,
        }
        const SQL: &str = "SELECT orgs.id, orgs.slug, orgs.name, memberships.user_id AS person FROM orgs \
             LEFT JOIN memberships ON memberships.org_id = orgs.id AND memberships.user_id = $2 \
             WHERE orgs.id = $1 AND orgs.deleted_at IS NULL";
        let Some(org_id) = token.org_id else {
            return Ok(None);
        };
        let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(SQL)
            .bind(org_id).bind(token.created_by).fetch_optional(c).await)?;
        let Row { org, person } = row.ok_or(AccessError::NotFound)?;
        Ok(Some(Self {
            engine: engine.clone(),
            org,
            scope: token.scope,
            caller: token_caller(token, visit),
            person,
        }))
    }

    /// The token's organization.
    pub fn org(&self) -> &Org {
        &self.org
    }

    /// What the token can be used for.
    pub fn scope(&self) -> TokenScope {
        self.scope
    }

    /// Returns the permit to do `A` in the token's organization. A denial is recorded in that organization's audit log.
    ///
    /// # Errors
    /// [`AccessError::Forbidden`] if the scope does not allow the action, or no organization token can perform it.
    pub fn permit<A: Permitted>(&self) -> Result<Permit<A>, AccessError> {
        if self.scope.may(A::ACTION) {
            let caller = self.caller.clone();
            let permit = Permit::new(self.org.id, caller, Basis::OrgToken);
            return Ok(Permit {
                person: self.person,
                ..permit
            });
        }
        let log = Log::Org(self.org.id);
        let denied = SecurityEvent::new(Event::AccessDenied, self.caller.clone(), log);
        self.engine
            .note(denied.with("action", serde_json::json!(A::ACTION)));
        Err(AccessError::Forbidden(A::ACTION))
    }
}

impl<A: Permitted> Permit<A> {
    fn new(org_id: OrgId, caller: Caller, basis: Basis) -> Self {
        Self {
            org_id,
            person: caller.actor.user_id(),
            caller,
            is_confirmed: false,
            basis,
            action: A::ACTION,
            of: PhantomData,
        }
    }
}

impl<A> Permit<A> {
    /// Adds that the user has just entered their password, which the gravest actions require.
    #[must_use]
    pub fn confirmed(mut self, by: &Confirmed) -> Self {
        self.is_confirmed = self.caller.actor == Actor::User(by.user_id());
        self
    }

    /// Checks that a user has entered their password. Other callers have none: the operator and tokens.
    ///
    /// # Errors
    /// If a user has not.
    pub(crate) fn check_confirmed(&self) -> Result<(), PasswordNeeded> {
        match self.caller.actor {
            Actor::User(_) if !self.is_confirmed => Err(PasswordNeeded),
            _ => Ok(()),
        }
    }

    /// The org that the permit is for.
    pub fn org_id(&self) -> OrgId {
        self.org_id
    }

    /// The person behind the caller: the user, or whoever created the token and is still a member.
    pub(crate) fn person(&self) -> Option<UserId> {
        self.person
    }

    /// The caller that the permit was issued to.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}
