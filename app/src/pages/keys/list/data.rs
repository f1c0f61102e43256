//! The data of the list of keys.

use std::collections::HashMap;

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    convention::KindNames,
    domain::DomainPattern,
    findings::{Finding, of_keys},
    id::KeyId,
    key::{Environment, Kind, secret_text::SecretPrefixes},
    keys::{
        KeySummary,
        list::{Cursor, KeyQuery, list},
        project::choices,
        show,
    },
    members,
    role::Action,
    time::Timestamp,
    usage::parts::requests_of_keys,
};

use crate::{
    error::AppError,
    pages::keys::{finding_text::FindingText, list::address::Address, state::KeyState},
    request::PageRequest,
    text::time::TimeText,
};

/// One page of the organization's keys, and what the user can do with them.
#[derive(Debug, Clone)]
pub struct KeyList {
    pub rows: Vec<KeyRow>,
    /// The number of keys that match the filters, on all pages.
    pub matching: i64,
    /// The number of matching keys on the pages before this one.
    pub before: i64,
    /// What the filters offer.
    pub choices: Choices,
    /// The convention's names for the kinds of key.
    pub kind_names: KindNames,
    /// The cursor of the previous page.
    pub previous: Option<String>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Whether the user can create keys.
    pub may_create: bool,
    /// Whether the user can disable and enable keys.
    pub may_disable: bool,
    /// Whether the user can revoke keys.
    pub may_revoke: bool,
    /// Whether the user can edit keys.
    pub may_edit: bool,
    /// Whether the user can rotate keys.
    pub may_rotate: bool,
    /// Whether the rows show the visible characters of the keys.
    pub with_details: bool,
    /// Whether the rows show the number of requests.
    pub with_requests: bool,
    /// By which secrets are recognized.
    pub secrets: SecretPrefixes,
}

/// What the filters offer.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The kinds of key with their titles.
    pub kinds: Vec<(Kind, String)>,
    /// The environments; empty if there is only one.
    pub environments: Vec<Environment>,
    /// Only for owners and admins.
    pub details: Option<DetailChoices>,
}

/// The filters of owners and admins.
#[derive(Debug, Clone, Default)]
pub struct DetailChoices {
    /// IDs and names of the projects.
    pub projects: Vec<(String, String)>,
    /// IDs and names of the members.
    pub creators: Vec<(String, String)>,
}

/// A key in the list. Fields that the user's role is not allowed to see are empty.
#[derive(Debug, Clone)]
pub struct KeyRow {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub environment: Environment,
    pub state: KeyState,
    /// When a request last passed with the key; `None` for never.
    pub last_used: Option<TimeText>,
    /// The expiry date; `None` for never.
    pub expires: Option<TimeText>,
    /// Whether the user has created it, for members.
    pub is_own: bool,
    /// The prefix and the last four characters, for owners and admins, and for members whose key it is.
    pub display: Option<String>,
    /// The creation date, for owners and admins.
    pub created: Option<TimeText>,
    /// The first allowed domains of a widget key, for owners and admins, and for members where the convention says so.
    pub domains: Vec<String>,
    /// The number of domains that are left out.
    pub more_domains: usize,
    /// The project's name, for owners and admins.
    pub project: Option<String>,
    /// The name of the user who created the key, or how it came to be, for owners and admins.
    pub creator: Option<String>,
    /// Until when the old secret works after a rotation, for owners and admins.
    pub old_ends: Option<TimeText>,
    /// The findings, most urgent first, for owners and admins.
    pub findings: Vec<FindingText>,
    /// The number of requests in the last 30 days, for owners and admins.
    pub requests: Option<i64>,
}

const PAGE_SIZE: u16 = 50;
/// The most domains of a key in a row: a page of 50 keys with 500 each would be megabytes.
const DOMAINS_SHOWN: usize = 3;

/// Loads the keys that the URL requests. Every member can see them.
pub async fn list_keys(request: PageRequest) -> Result<KeyList, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let address = Address::read(request.org().to_owned(), request.query());
    let may = |action| membership.may(action);
    let query = query(&address, !may(Action::SeeKeyDetails));
    let mut page = list(engine, &membership.permit()?, &query).await?;
    if page.keys.is_empty() && page.matching > 0 {
        // The page is empty, for example after a bulk change of all keys on the last page.
        let cursor = match query.cursor {
            Some(Cursor::Before(_)) => None,
            _ => Some(Cursor::End),
        };
        let query = KeyQuery { cursor, ..query };
        page = list(engine, &membership.permit()?, &query).await?;
    }
    let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
    let requests = if may(Action::SeeUsageDetails) {
        Some(requests_of_keys(engine, &membership.permit()?, &ids).await?)
    } else {
        None
    };
    let (now, details) = (engine.clock().now(), may(Action::SeeKeyDetails));
    let for_members = match details {
        true => HashMap::new(),
        false => show::domains_for_members(engine, &membership.permit()?, &ids).await?,
    };
    let mut own: HashMap<KeyId, String> = match details {
        true => HashMap::new(),
        false => show::own_of(engine, &membership.permit()?, &ids)
            .await?
            .into_iter()
            .map(|key| (key.id, key.display))
            .collect(),
    };
    let mut more = if details {
        more_of(engine, &membership, &page.keys).await?
    } else {
        HashMap::new()
    };
    Ok(KeyList {
        rows: page
            .keys
            .into_iter()
            .map(|key| {
                let more = details.then(|| more.remove(&key.id).unwrap_or_default());
                let for_members = for_members.get(&key.id);
                let own = own.remove(&key.id);
                let mut row = row(key, now, more, requests.as_ref());
                if let Some(display) = own {
                    (row.is_own, row.display) = (true, Some(display));
                }
                if let Some(domains) = for_members {
                    (row.domains, row.more_domains) = first(domains);
                }
                row
            })
            .collect(),
        kind_names: engine.convention().kind_names.clone(),
        matching: page.matching,
        before: page.before,
        choices: choices_for(engine, &membership).await?,
        previous: page.previous.map(|place| place.to_string()),
        next: page.next.map(|place| place.to_string()),
        may_create: may(Action::CreateKeys),
        may_disable: may(Action::DisableKeys),
        may_revoke: may(Action::RevokeKeys),
        may_edit: may(Action::EditKeys),
        may_rotate: may(Action::RotateKeys),
        with_details: details,
        with_requests: requests.is_some(),
        secrets: SecretPrefixes::of(engine.convention()),
    })
}

async fn choices_for(engine: &Engine, membership: &Membership) -> Result<Choices, AppError> {
    let convention = engine.convention();
    let kinds = convention.kinds();
    let kinds = kinds.map(|kind| (kind, convention.kind_names.title(kind)));
    let details = match membership.permit_if_allowed::<to::SeeKeyDetails>() {
        None => None,
        Some(permit) => Some(DetailChoices {
            projects: choices(engine, &permit)
                .await?
                .into_iter()
                .map(|project| (project.id.to_string(), project.name.to_string()))
                .collect(),
            creators: members::list(engine, &membership.permit()?)
                .await?
                .into_iter()
                .map(|member| (member.user_id.to_string(), member.name.to_string()))
                .collect(),
        }),
    };
    let has = |environment: &Environment| convention.prefixes().any(|(.., of)| of == *environment);
    let mut environments: Vec<Environment> = Environment::ALL.iter().copied().filter(has).collect();
    if environments.len() == 1 {
        environments.clear();
    }
    Ok(Choices {
        kinds: kinds.collect(),
        environments,
        details,
    })
}

fn query(address: &Address, names_only: bool) -> KeyQuery {
    // An invalid cursor starts at the beginning.
    let after = address.after.parse().map(Cursor::After).ok();
    let before = address.before.parse().map(Cursor::Before).ok();
    KeyQuery {
        cursor: after.or(before),
        page_size: PAGE_SIZE,
        ..address.query(names_only)
    }
}

/// The first domains, and how many there are more.
fn first(domains: &[DomainPattern]) -> (Vec<String>, usize) {
    let shown = domains.iter().take(DOMAINS_SHOWN);
    let more = domains.len().saturating_sub(DOMAINS_SHOWN);
    (shown.map(ToString::to_string).collect(), more)
}

/// Loads the allowed domains of the widget keys.
async fn domains_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    keys: &[KeySummary],
) -> Result<HashMap<KeyId, (Vec<String>, usize)>, AppError> {
    let widgets = keys.iter().filter(|key| key.kind == Kind::Widget);
    let ids: Vec<KeyId> = widgets.map(|key| key.id).collect();
    let found = show::details_of(engine, permit, &ids).await?;
    Ok(found
        .into_iter()
        .map(|key| (key.summary.id, first(&key.settings.domains)))
        .collect())
}

/// What only owners and admins see of a key in the list.
#[derive(Debug, Default)]
struct More {
    domains: Vec<String>,
    more_domains: usize,
    project: String,
    creator: Option<String>,
    old_ends: Option<TimeText>,
    findings: Vec<FindingText>,
}

async fn more_of(
    engine: &Engine,
    membership: &Membership,
    keys: &[KeySummary],
) -> Result<HashMap<KeyId, More>, AppError> {
    let permit = membership.permit()?;
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
    let mut domains = domains_of(engine, &permit, keys).await?;
    let found = of_keys(engine, &permit, &membership.permit()?, &ids).await?;
    let found = found.into_iter().map(|key| (key.id, key.findings));
    let mut found: HashMap<KeyId, Vec<Finding>> = found.collect();
    let belongs = show::belongs_of(engine, &permit, &ids).await?;
    let by_nobody = belongs.iter().filter(|of_key| of_key.creator.is_none());
    let by_nobody: Vec<KeyId> = by_nobody.map(|of_key| of_key.id).collect();
    let origins = show::origins_of(engine, &permit, &by_nobody).await?;
    let more = belongs.into_iter().map(|of_key| {
        let (domains, more_domains) = domains.remove(&of_key.id).unwrap_or_default();
        let findings = found.remove(&of_key.id).unwrap_or_default();
        let more = More {
            domains,
            more_domains,
            project: of_key.project.to_string(),
            creator: match of_key.creator {
                Some(name) => Some(name.to_string()),
                None => {
                    let origin = origins.get(&of_key.id);
                    origin.map(|origin| origin.words().to_owned())
                }
            },
            old_ends: of_key.old_secret_ends_at.map(TimeText::date),
            findings: findings.iter().map(FindingText::of).collect(),
        };
        (of_key.id, more)
    });
    Ok(more.collect())
}

/// Creates a row. Without `more`, it has nothing that only owners and admins see.
fn row(
    key: KeySummary,
    now: Timestamp,
    more: Option<More>,
    requests: Option<&HashMap<KeyId, i64>>,
) -> KeyRow {
    let with_details = more.is_some();
    let more = more.unwrap_or_default();
    KeyRow {
        state: KeyState::new(&key, now, with_details),
        requests: requests.map(|requests| requests.get(&key.id).copied().unwrap_or(0)),
        last_used: key.last_used_at.map(|at| TimeText::relative(at, now)),
        expires: key.lifecycle.expires_at.map(TimeText::date),
        is_own: false,
        display: with_details.then_some(key.display),
        created: with_details.then(|| TimeText::date(key.created_at)),
        domains: more.domains,
        more_domains: more.more_domains,
        project: with_details.then_some(more.project),
        creator: more.creator,
        old_ends: more.old_ends,
        findings: more.findings,
        id: key.id.to_string(),
        name: key.name.to_string(),
        kind: key.kind,
        environment: key.environment,
    }
}
