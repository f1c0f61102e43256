//! Many keys, and further organizations, for measurements.

use std::fmt::Write as _;

use latchkey::{
    Engine,
    access::{Operator, Org},
    convention::ClassIndex,
    id::{KeyId, OrgId, SecretId},
    key::{Environment, Kind},
    keys::{
        import::{Format, import},
        list::{KeyQuery, names_matching},
        project::choices,
    },
    orgs,
    outcome::Outcome,
    time::{DAY, HOUR, MINUTE, Timestamp},
    usage::{
        past::Past,
        subject::{Cell, Group, Subject},
    },
};
use serde_json::json;

use super::{
    error::{DemoError, failed},
    noise::{bell, mix, noise, whole},
    period::Period,
    size::Size,
    store::store,
    traffic::is_weekend,
};

/// Keys per import.
const KEYS_AT_ONCE: u32 = 10_000;
/// Keys whose use is stored together.
const KEYS_PER_BLOCK: usize = 40;
/// How long use is stored by minute, with some to spare.
const BY_MINUTE: i64 = 49 * HOUR;

/// A key whose use is made up.
#[derive(Debug, Clone, Copy)]
pub struct BulkKey {
    org_id: OrgId,
    id: KeyId,
    cell: Cell,
    number: u64,
}

/// Creates the organizations and imports the keys. The team gets its share of them.
pub async fn create(engine: &Engine, team: &Org, size: Size) -> Result<Vec<BulkKey>, DemoError> {
    let operator = Operator::at_the_command_line();
    let mut keys = Vec::new();
    let orgs = size.orgs.max(1);
    for number in 0..orgs {
        let org = if number == 0 {
            team.clone()
        } else {
            let name = format!("Customer {number:04}");
            let name = name.parse().map_err(failed("a name is invalid"))?;
            let slug = format!("customer-{number:04}");
            let slug = slug.parse().map_err(failed("a name is invalid"))?;
            let created = orgs::create(engine, &operator, &name, &slug).await;
            created.map_err(failed("an organization was not created"))?
        };
        let share = size.keys / orgs + u32::from(number < size.keys % orgs);
        if share > 0 {
            import_keys(engine, &operator, &org, share, size.seed, &mut keys).await?;
        }
    }
    Ok(keys)
}

/// Kind and environment of a key: of ten keys, one is for tests, and one for pages if the convention has such keys.
fn kind_of(engine: &Engine, number: u32) -> (Kind, Environment) {
    match number % 10 {
        3 => (Kind::Secret, Environment::Test),
        7 if engine
            .convention()
            .prefix(Kind::Widget, Environment::Live)
            .is_some() =>
        {
            (Kind::Widget, Environment::Live)
        }
        _ => (Kind::Secret, Environment::Live),
    }
}

async fn import_keys(
    engine: &Engine,
    operator: &Operator,
    org: &Org,
    count: u32,
    seed: u64,
    keys: &mut Vec<BulkKey>,
) -> Result<(), DemoError> {
    let projects = choices(engine, &operator.permit(org)).await;
    let projects = projects.map_err(failed("the projects were not found"))?;
    let project_of = |number: u32| projects.get(number as usize % projects.len().max(1));
    for first in (0..count).step_by(KEYS_AT_ONCE as usize) {
        let entries = (first..count.min(first + KEYS_AT_ONCE)).map(|number| {
            let (kind, environment) = kind_of(engine, number);
            let prefix = engine.convention().prefix(kind, environment);
            let mut entry = json!({
                "name": format!("Customer key {number:05}"),
                "sha256": digest(mix(seed), org.id, number),
                "prefix": prefix.unwrap_or_default(),
                "kind": kind.as_str(),
                "environment": environment.as_str(),
                "external_id": format!("customer-{number:05}"),
            });
            if let Some(project) = project_of(number) {
                entry["project"] = json!(project.name.as_str());
            }
            if kind == Kind::Widget {
                entry["domains"] = json!([format!("shop-{number}.example")]);
            }
            entry
        });
        let text = json!(entries.collect::<Vec<_>>()).to_string();
        let report = import(engine, &operator.permit(org), Format::Json, &text, false).await;
        let report = report.map_err(failed("the keys were not imported"))?;
        if !report.imported {
            return Err(failed("the keys were not imported")("an entry is invalid"));
        }
    }
    let query = KeyQuery {
        search: "Customer key"
            .parse()
            .map_err(failed("the search is invalid"))?,
        ..KeyQuery::default()
    };
    let limit = count as usize;
    let found = names_matching(engine, &operator.permit(org), &query, limit).await;
    for (id, name) in found.map_err(failed("the keys were not found"))? {
        let number = name
            .as_str()
            .rsplit(' ')
            .next()
            .and_then(|number| number.parse().ok());
        let number: u32 = number.unwrap_or_default();
        let (kind, environment) = kind_of(engine, number);
        keys.push(BulkKey {
            org_id: org.id,
            id,
            cell: Cell {
                project: project_of(number).map(|project| project.id),
                group: Group::Keys(kind, environment),
            },
            number: mix(u64::from(number) ^ mix(keys.len() as u64)),
        });
    }
    Ok(())
}

/// A digest that belongs to no key that anyone has.
fn digest(seed: u64, org: OrgId, number: u32) -> String {
    let org: u64 = org
        .to_string()
        .bytes()
        .fold(seed, |sum, byte| mix(sum ^ u64::from(byte)));
    let mut hex = String::with_capacity(64);
    let mut value = mix(org ^ u64::from(number));
    for _ in 0..4 {
        value = mix(value);
        // Writing to a String cannot fail.
        let _ = write!(hex, "{value:016x}");
    }
    hex
}

/// Stores the use of all keys: of the median key 40 requests a day, on 22 days of 30, in a tenth of all hours.
pub async fn store_traffic(
    engine: &Engine,
    keys: &[BulkKey],
    period: Period,
    seed: u64,
) -> Result<(), DemoError> {
    let class = ClassIndex::default_of(engine.convention());
    for keys in keys.chunks(KEYS_PER_BLOCK) {
        let mut past = Vec::new();
        for key in keys {
            let mut day = period.start;
            while day < period.now {
                of_key(key, day, class, period, seed, &mut past);
                day = day.plus(DAY);
            }
        }
        store(engine, past).await?;
    }
    Ok(())
}

/// Adds the use of a key on a day.
fn of_key(
    key: &BulkKey,
    day: Timestamp,
    class: ClassIndex,
    period: Period,
    seed: u64,
    past: &mut Vec<Past<'static>>,
) {
    let number = (day.as_millis() / DAY).unsigned_abs();
    let seed = mix(seed ^ key.number);
    let likely = if is_weekend(day) { 0.25 } else { 0.95 };
    if noise(seed, number, 0) > likely {
        return;
    }
    let hours = 1 + (noise(seed, number, 1) * 4.5) as i64;
    let first = 6 + (noise(seed, 0, 2) * 12.0) as i64;
    let requests = 40.0 * bell(seed, 3).exp() * (0.7 + 0.6 * noise(seed, number, 4));
    for hour in 0..hours {
        let at = day.plus((first + hour).min(23) * HOUR);
        let chance = noise(seed, number, 5 + hour.unsigned_abs());
        let count = whole(requests / hours as f64, chance).max(1);
        let mut add = |at: Timestamp, outcome: Outcome, count: i64| {
            if at < period.now && count > 0 {
                past.push(Past {
                    org_id: key.org_id,
                    subject: Subject::Key(key.id, SecretId::new(0, [0; 10])),
                    cell: key.cell,
                    class,
                    outcome,
                    at,
                    count,
                    site: None,
                    came_with: None,
                });
            }
        };
        let parts = if period.now.since(at) > BY_MINUTE {
            1
        } else {
            count.min(4)
        };
        for part in 0..parts {
            let minute = at.plus((7 + 13 * part) * MINUTE);
            add(
                minute,
                Outcome::Valid,
                count / parts + i64::from(part < count % parts),
            );
        }
        if chance < 0.03 {
            let outcome = if chance < 0.02 {
                Outcome::RateLimited
            } else {
                Outcome::WrongEnvironment
            };
            add(at.plus(7 * MINUTE), outcome, 1 + count / 10);
        }
    }
}
