//! All people who have an account on the instance.

use std::collections::HashMap;

use crate::{
    Engine,
    access::Operator,
    db::{StorageError, on, places},
    email::EmailAddress,
    id::UserId,
    name::DisplayName,
    search::{Search, for_like},
    time::Timestamp,
};

/// The maximum number of organizations that are named for a person.
const MAX_ORGS: i64 = 3;

/// A person in the list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PersonSummary {
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
    /// Since when the account is disabled.
    pub disabled_at: Option<Timestamp>,
    /// Since when the user is an operator.
    pub operator_since: Option<Timestamp>,
    /// The names of the first organizations that the user is a member of.
    #[sqlx(skip)]
    pub orgs: Vec<DisplayName>,
    /// The number of organizations that the user is a member of.
    #[sqlx(skip)]
    pub org_count: i64,
}

const SELECT: &str = "SELECT id, name, email, created_at, last_seen_at, disabled_at, operator_since FROM users \
     WHERE deleted_at IS NULL";

/// Returns one page of the people, newest account first: at most `limit` whose account was created before `before`, and
/// whose name or address contains the term. If there are more, also returns the ID to continue from.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    _operator: &Operator,
    search: &Search,
    before: Option<UserId>,
    limit: u16,
) -> Result<(Vec<PersonSummary>, Option<UserId>), StorageError> {
    let sql = format!(
        r"{SELECT} AND ($1 IS NULL OR id < $1)
         AND (email LIKE $2 ESCAPE '\' OR search LIKE $2 ESCAPE '\') ORDER BY id DESC LIMIT $3"
    );
    let mut people: Vec<PersonSummary> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(before).bind(format!("%{}%", for_like(search.as_str()))).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let more = people.len() > usize::from(limit);
    people.truncate(usize::from(limit));
    let next = people.last().map(|person| person.id).filter(|_| more);
    add_orgs(engine, &mut people).await?;
    Ok((people, next))
}

/// Returns one person.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    _operator: &Operator,
    id: UserId,
) -> Result<Option<PersonSummary>, StorageError> {
    let sql = format!("{SELECT} AND id = $1");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id).fetch_optional(c).await)?,
    )
}

/// Adds the names of the organizations of each person.
async fn add_orgs(engine: &Engine, people: &mut [PersonSummary]) -> Result<(), StorageError> {
    if people.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT user_id, name, orgs FROM (SELECT memberships.user_id, orgs.name, \
         COUNT(*) OVER (PARTITION BY memberships.user_id) AS orgs, \
         ROW_NUMBER() OVER (PARTITION BY memberships.user_id ORDER BY orgs.id) AS place \
         FROM memberships JOIN orgs ON orgs.id = memberships.org_id AND orgs.deleted_at IS NULL \
         WHERE memberships.user_id IN ({})) AS of_people WHERE place <= $1 ORDER BY user_id, place",
        places(2, people.len())
    );
    let rows: Vec<(UserId, DisplayName, i64)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(MAX_ORGS);
        for person in &*people {
            query = query.bind(person.id);
        }
        query.fetch_all(c).await
    })?;
    let mut of_people: HashMap<UserId, (Vec<DisplayName>, i64)> = HashMap::new();
    for (user_id, name, count) in rows {
        let (names, total) = of_people.entry(user_id).or_default();
        names.push(name);
        *total = count;
    }
    for person in people {
        (person.orgs, person.org_count) = of_people.remove(&person.id).unwrap_or_default();
    }
    Ok(())
}
