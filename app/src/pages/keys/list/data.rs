//! What the list is told, and who may be told it.

use std::collections::HashMap;

use latchkey::{
    Engine,
    access::{Permit, to},
    convention::KindNames,
    domain::DomainPattern,
    id::KeyId,
    key::{Environment, Kind},
    keys::{
        KeySummary,
        list::{Cursor, KeyQuery, list},
        show,
    },
    role::Action,
    time::Timestamp,
    usage::report::requests_of_keys,
};

use crate::{
    error::AppError,
    pages::keys::{list::address::Address, state::KeyState},
    request::PageRequest,
    text::time::TimeText,
};

/// One page of the org's keys, and what may be done with them.
#[derive(Debug, Clone)]
pub struct KeyList {
    /// The keys in order.
    pub rows: Vec<KeyRow>,
    /// How many keys the filters let through, on all pages.
    pub matching: i64,
    /// What people call the kinds here.
    pub kind_names: KindNames,
    /// The place that the page before this one ends at.
    pub previous: Option<String>,
    /// The place that the page after this one starts at.
    pub next: Option<String>,
    /// Whether the person may make keys.
    pub may_create: bool,
    /// Whether they may disable and enable keys.
    pub may_disable: bool,
    /// Whether they may revoke keys.
    pub may_revoke: bool,
    /// Whether the rows say how the keys' texts begin and end.
    pub with_details: bool,
    /// Whether the rows say how many requests the keys had.
    pub with_requests: bool,
}

/// A key in the list. What a role may not know is not there.
#[derive(Debug, Clone)]
pub struct KeyRow {
    pub id: String,
    pub name: String,
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// Whether it works.
    pub state: KeyState,
    /// When it last let a request pass; `None` for never.
    pub last_used: Option<TimeText>,
    /// When it expires; `None` for never.
    pub expires: Option<TimeText>,
    /// The front and the last four characters, for owners and admins.
    pub display: Option<String>,
    /// When it was created, for owners and admins.
    pub created: Option<TimeText>,
    /// Where a widget key works, for owners and admins: the first few domains.
    pub domains: Vec<String>,
    /// How many more there are.
    pub more_domains: usize,
    /// Requests in the last 30 days, for owners and admins.
    pub requests: Option<i64>,
}

const PAGE_SIZE: u16 = 50;
/// How many of a key's domains a row has: a page of 50 keys with 500 each would be megabytes.
const DOMAINS_SHOWN: usize = 3;

/// The keys that the address asks for, for everyone in the org.
pub async fn list_keys(request: PageRequest) -> Result<KeyList, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let address = Address::read(request.org().to_owned(), request.query());
    let may = |action| membership.role().may(action);
    let query = query(&address, !may(Action::SeeKeyDetails));
    let mut page = list(engine, &membership.permit()?, &query).await?;
    if page.keys.is_empty() && page.matching > 0 {
        // What was behind the place is gone, as after a change of all keys of the last page.
        let cursor = match query.cursor {
            Some(Cursor::Before(_)) => None,
            _ => Some(Cursor::End),
        };
        let query = KeyQuery { cursor, ..query };
        page = list(engine, &membership.permit()?, &query).await?;
    }
    let requests = if may(Action::SeeUsageDetails) {
        let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
        Some(requests_of_keys(engine, &membership.permit()?, &ids).await?)
    } else {
        None
    };
    let (now, details) = (engine.clock().now(), may(Action::SeeKeyDetails));
    let mut domains = if details {
        domains_of(engine, &membership.permit()?, &page.keys).await?
    } else {
        HashMap::new()
    };
    Ok(KeyList {
        rows: page
            .keys
            .into_iter()
            .map(|key| {
                let domains = domains.remove(&key.id).unwrap_or_default();
                row(key, now, details.then_some(domains), requests.as_ref())
            })
            .collect(),
        kind_names: engine.convention().kind_names.clone(),
        matching: page.matching,
        previous: page.previous.map(|place| place.to_string()),
        next: page.next.map(|place| place.to_string()),
        may_create: may(Action::CreateKeys),
        may_disable: may(Action::DisableKeys),
        may_revoke: may(Action::RevokeKeys),
        with_details: details,
        with_requests: requests.is_some(),
    })
}

fn query(address: &Address, names_only: bool) -> KeyQuery {
    // A place that was never one begins at the start.
    let after = address.after.parse().map(Cursor::After).ok();
    let before = address.before.parse().map(Cursor::Before).ok();
    KeyQuery {
        cursor: after.or(before),
        page_size: PAGE_SIZE,
        ..address.query(names_only)
    }
}

/// Where the widget keys among these work.
async fn domains_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    keys: &[KeySummary],
) -> Result<HashMap<KeyId, (Vec<String>, usize)>, AppError> {
    let widgets = keys.iter().filter(|key| key.kind == Kind::Widget);
    let ids: Vec<KeyId> = widgets.map(|key| key.id).collect();
    let found = show::details_of(engine, permit, &ids).await?;
    let first = |domains: Vec<DomainPattern>| {
        let shown = domains.iter().take(DOMAINS_SHOWN);
        let more = domains.len().saturating_sub(DOMAINS_SHOWN);
        (shown.map(ToString::to_string).collect(), more)
    };
    Ok(found
        .into_iter()
        .map(|key| (key.summary.id, first(key.settings.domains)))
        .collect())
}

/// A row; `details` are its domains, for those who may know them and the rest that members may not.
fn row(
    key: KeySummary,
    now: Timestamp,
    details: Option<(Vec<String>, usize)>,
    requests: Option<&HashMap<KeyId, i64>>,
) -> KeyRow {
    let with_details = details.is_some();
    let (domains, more_domains) = details.unwrap_or_default();
    KeyRow {
        state: KeyState::new(&key, now, with_details),
        requests: requests.map(|requests| requests.get(&key.id).copied().unwrap_or(0)),
        last_used: key.last_used_at.map(|at| TimeText::relative(at, now)),
        expires: key.lifecycle.expires_at.map(TimeText::date),
        display: with_details.then_some(key.display),
        created: with_details.then(|| TimeText::date(key.created_at)),
        domains,
        more_domains,
        id: key.id.to_string(),
        name: key.name.to_string(),
        kind: key.kind,
        environment: key.environment,
    }
}
