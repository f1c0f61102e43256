//! Questions about usage: any of them is answered with what was counted.

use std::collections::{BTreeMap, BTreeSet};

use latchkey::{
    agents::{PublicId, create::create},
    convention::{ClassIndex, Convention},
    id::{KeyId, ProjectId},
    key::{Environment, Kind},
    keys::{
        create::NewKey,
        import::{Format, import},
    },
    outcome::Outcome,
    projects,
    random::Randomness,
    time::{DAY, HOUR, MINUTE, Timestamp, Zone},
    usage::{
        past::{self, Past},
        question::{Dimension, Question},
        report::{self, Counts, Report, ReportError},
        roll::roll,
        subject::{Cell, Group, Subject},
    },
};
use serde_json::json;

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, secret_key, widget_key, with},
    usage::time,
};

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "Africa/Cairo",
];
const OUTCOMES: [Outcome; 4] = [
    Outcome::Valid,
    Outcome::RateLimited,
    Outcome::OriginNotAllowed,
    Outcome::InsufficientScope,
];

/// A key or agent, with the values of each dimension.
#[derive(Debug, Clone)]
struct Used {
    subject: Subject,
    cell: Cell,
    values: BTreeMap<&'static str, String>,
}

/// A request.
#[derive(Debug, Clone)]
struct Counted {
    at: Timestamp,
    count: i64,
    outcome: Outcome,
    values: BTreeMap<&'static str, String>,
}

on_both! {
    async fn any_question_is_answered_as_by_counting_again(app: &TestApp) {
        let engine = app.another_engine(|settings| {
            let mut convention = Convention::built_in("latchkey").unwrap();
            convention.classes.insert("chat".to_owned(), std::num::NonZeroU32::MIN);
            settings.convention = convention;
        }).await;
        app.set_time("2026-11-21T12:34:56Z");
        let org = TestOrg::make(&engine, "northwind").await;
        let random = Randomness::seeded(7);
        let used = used(&org).await;
        let counted: Vec<(Counted, &Used, ClassIndex)> = (0..600).map(|_| {
            let used = &used[pick(&random, used.len())];
            let class = if below(&random, 3) == 0 { "chat" } else { "default" };
            let outcome = OUTCOMES[pick(&random, OUTCOMES.len())];
            let age = below(&random, [2 * HOUR, 3 * DAY, 90 * DAY, 800 * DAY][pick(&random, 4)]);
            let mut values = used.values.clone();
            values.insert("class", class.to_owned());
            values.insert("outcome", outcome.code().to_owned());
            let counted = Counted { at: app.clock.now().plus(-age), count: 1 + below(&random, 9), outcome, values };
            (counted, used, ClassIndex::find(engine.convention(), class).unwrap())
        }).collect();
        let past: Vec<Past> = counted.iter().map(|(counted, used, class)| Past {
            org_id: org.org.id, subject: used.subject, cell: used.cell, class: *class, outcome: counted.outcome,
            at: counted.at, count: counted.count, site: None,
                    came_with: None,
        }).collect();
        past::store(&engine, &latchkey::access::Operator::at_the_command_line(), &past).await.unwrap();
        roll(&engine).await.unwrap();
        let counted: Vec<Counted> = counted.into_iter().map(|(counted, ..)| counted).collect();
        let (mut answered, mut grouped) = (0, BTreeSet::new());
        for _ in 0..150 {
            let pairs = any_question(app, &used, &random);
            let Ok(question) = Question::read(&pairs, engine.convention(), Zone::UTC) else {
                continue;
            };
            match report::with_details(&engine, &org.permit(), &question).await {
                Ok(report) => {
                    check(&report, &counted, &pairs);
                    answered += 1;
                    grouped.extend(question.group_by);
                }
                Err(ReportError::Invalid(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(answered > 50 && grouped.len() == Dimension::ALL.len(), "{answered} {grouped:?}");
    }

    async fn the_groups_of_many_keys_are_the_largest(app: &TestApp) {
        // So few that the most promising keys are enough, and so many that all are counted.
        for (slug, keys) in [("northwind", 230_i64), ("contoso", 1_150)] {
            largest_of(app, slug, keys).await;
        }
    }
}

async fn largest_of(app: &TestApp, slug: &str, keys: i64) {
    let org = app.org(slug).await;
    let entries = (0..keys).map(|number| {
        let digest = format!("{:064x}", 1_000_000 * keys + number);
        json!({"name": format!("Key {number:04}"), "sha256": digest})
    });
    let text = json!(entries.collect::<Vec<_>>()).to_string();
    let report = import(&app.engine, &org.permit(), Format::Json, &text, false).await;
    assert!(report.unwrap().imported);
    let sql = format!(
        "SELECT id FROM keys WHERE org_id = '{}' ORDER BY name",
        org.org.id
    );
    let ids = app.database.texts(&sql).await;
    let mut expected = Vec::new();
    let mut past = Vec::new();
    for (number, id) in (0..keys).zip(ids) {
        // Most of it was before the period, which the sums that rank keys include.
        let (within, before) = (1 + (number * 37) % keys, 5_000 + (number * 91) % 4_000);
        let of = |at: &str, count| {
            crate::test_app::usage::past(
                org.org.id,
                id.parse().unwrap(),
                time(at),
                Outcome::Valid,
                count,
            )
        };
        past.push(of("2026-11-18T12:00:00Z", within));
        past.push(of("2026-11-16T12:00:00Z", before));
        expected.push((-within, id));
    }
    app.store_past(&past).await;
    expected.sort();
    let pairs = [("from", "2026-11-17T22:00:00Z"), ("group_by", "key")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let question = Question::read(&pairs, app.engine.convention(), Zone::UTC).unwrap();
    let groups = report::with_details(&app.engine, &org.permit(), &question)
        .await
        .unwrap()
        .groups
        .unwrap();
    let largest: Vec<_> = groups
        .largest
        .iter()
        .map(|group| (-group.counts.all(), group.id.clone()))
        .collect();
    assert_eq!(largest, expected[..100]);
    let rest: i64 = expected[100..].iter().map(|(count, _)| -count).sum();
    assert_eq!(
        groups.other,
        Counts {
            passed: rest,
            ..Counts::default()
        }
    );
}

async fn used(org: &TestOrg) -> Vec<Used> {
    let engine = &org.engine;
    let mut projects = Vec::new();
    for name in ["One", "Two", "Three"] {
        let name = name.parse().unwrap();
        let project = projects::create(engine, &org.permit(), &name).await;
        projects.push(project.unwrap());
    }
    let mut used = Vec::new();
    let kinds: [fn(&str) -> NewKey; 2] = [secret_key, |name| widget_key(name, &["shop.example"])];
    for (number, project) in (0..6).zip(projects.iter().cycle()) {
        let kind = kinds[number % 2];
        let environment = Environment::ALL[number / 3];
        let new = with(kind(&format!("Key {number}")), |settings| {
            settings.project = Some(*project);
        });
        let new = NewKey { environment, ..new };
        let kind = new.kind;
        let id = org.create_key(new).await.unwrap().id;
        used.push(Used::key(id, *project, kind, environment));
    }
    for (name, project) in ["Support", "Sales"].iter().zip(&projects) {
        let mut settings = agent(name, &[]);
        settings.project = Some(*project);
        let made = create(engine, &org.permit(), &settings).await.unwrap();
        used.push(Used::agent(made.id, made.public_id, *project));
    }
    used
}

impl Used {
    fn key(id: KeyId, project: ProjectId, kind: Kind, environment: Environment) -> Self {
        Self {
            subject: Subject::Key(id, latchkey::id::SecretId::new(0, [0; 10])),
            cell: Cell {
                project: Some(project),
                group: Group::Keys(kind, environment),
            },
            values: BTreeMap::from([
                ("key", id.to_string()),
                ("project", project.to_string()),
                ("kind", kind.to_string()),
                ("environment", environment.to_string()),
            ]),
        }
    }

    fn agent(id: latchkey::id::AgentId, public_id: PublicId, project: ProjectId) -> Self {
        Self {
            subject: Subject::Agent(id),
            cell: Cell {
                project: Some(project),
                group: Group::Agents,
            },
            values: BTreeMap::from([
                ("agent", public_id.to_string()),
                ("project", project.to_string()),
                ("kind", "agent".to_owned()),
            ]),
        }
    }
}

/// A question with up to two filters.
fn any_question(app: &TestApp, used: &[Used], random: &Randomness) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut add = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
    match below(random, 5) {
        0 => add("range", ["24h", "7d", "30d", "12m"][pick(random, 4)]),
        kind => {
            let age = below(
                random,
                [DAY, 20 * DAY, 80 * DAY, 600 * DAY][pick(random, 4)],
            );
            let from = app.clock.now().plus(-age - MINUTE);
            let length = MINUTE + below(random, age.max(MINUTE));
            let text = |at: Timestamp| {
                let text = at.rfc3339().to_string();
                // A date in the zone of the question.
                if kind == 1 {
                    text[..10].to_owned()
                } else {
                    text
                }
            };
            add("from", &text(from));
            if kind != 2 {
                add("to", &text(from.plus(length)));
            }
        }
    }
    if below(random, 2) == 0 {
        add("step", ["minute", "hour", "day", "month"][pick(random, 4)]);
    }
    add("tz", ZONES[pick(random, ZONES.len())]);
    let dimensions = Dimension::ALL;
    for _ in 0..below(random, 3) {
        let dimension = dimensions[pick(random, dimensions.len())].as_str();
        for _ in 0..1 + below(random, 2) {
            let value = match dimension {
                "class" => Some("chat".to_owned()),
                "outcome" => Some(OUTCOMES[pick(random, 4)].code().to_owned()),
                _ => used[pick(random, used.len())]
                    .values
                    .get(dimension)
                    .cloned(),
            };
            if let Some(value) = value {
                add(dimension, &value);
            }
        }
    }
    if below(random, 3) > 0 {
        add(
            "group_by",
            dimensions[pick(random, dimensions.len())].as_str(),
        );
    }
    pairs
}

/// Compares each number of a report with what was counted.
fn check(report: &Report, counted: &[Counted], pairs: &[(String, String)]) {
    let matching: Vec<&Counted> = counted
        .iter()
        .filter(|counted| {
            Dimension::ALL.iter().all(|dimension| {
                let name = dimension.as_str();
                let mut values = pairs.iter().filter(|(key, _)| key == name).peekable();
                values.peek().is_none()
                    || values.any(|(_, value)| counted.values.get(name) == Some(value))
            })
        })
        .collect();
    let sum = |from: Timestamp, to: Timestamp, only: &dyn Fn(&Counted) -> bool| {
        let mut sum = Counts::default();
        for counted in &matching {
            if (from..to).contains(&counted.at) && only(counted) {
                let part = match counted.outcome {
                    Outcome::Valid => &mut sum.passed,
                    Outcome::RateLimited => &mut sum.limited,
                    _ => &mut sum.refused,
                };
                *part += counted.count;
            }
        }
        sum
    };
    let (start, end) = (report.starts_at(), report.ends_at);
    let ends = report
        .steps
        .iter()
        .skip(1)
        .map(|step| step.starts_at)
        .chain([end]);
    for (step, to) in report.steps.iter().zip(ends) {
        assert!(step.starts_at < to, "{pairs:?}");
        assert_eq!(
            step.counts,
            sum(step.starts_at, to, &|_| true),
            "{pairs:?} {}",
            step.starts_at.rfc3339()
        );
    }
    assert_eq!(report.total, sum(start, end, &|_| true), "{pairs:?}");
    let Some(groups) = &report.groups else {
        return;
    };
    let mut all = groups.other;
    for group in &groups.largest {
        let by = groups.by.as_str();
        let expected = sum(start, end, &|counted| {
            counted.values.get(by) == Some(&group.id)
        });
        assert_eq!(group.counts, expected, "{pairs:?} {}", group.id);
        all.passed += group.counts.passed;
        all.limited += group.counts.limited;
        all.refused += group.counts.refused;
    }
    assert_eq!(all, report.total, "{pairs:?}");
}

fn below(random: &Randomness, end: i64) -> i64 {
    let bytes: [u8; 8] = random.bytes().unwrap();
    (u64::from_be_bytes(bytes) % end.unsigned_abs()) as i64
}

fn pick(random: &Randomness, length: usize) -> usize {
    below(random, length as i64) as usize
}
