//! Usage: counts of earlier times, and what is stored.

use latchkey::{
    access::Operator,
    convention::ClassIndex,
    id::{KeyId, OrgId, SecretId},
    key::{Environment, Kind},
    outcome::Outcome,
    time::Timestamp,
    usage::{
        past::{self, Past},
        roll::roll,
        subject::{Cell, Group, Subject},
    },
};

use super::TestApp;

/// A stored count of a key or an agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    pub id: String,
    pub class: String,
    pub outcome: Outcome,
    /// The number of the minute, hour or day.
    pub step: i64,
    pub count: i64,
}

/// The time of a text in RFC 3339, or the start of a day.
pub fn time(text: &str) -> Timestamp {
    let text = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    let at: jiff::Timestamp = text.parse().unwrap();
    Timestamp::from_millis(at.as_millisecond())
}

/// Requests of a secret live key at a time.
pub fn past(
    org_id: OrgId,
    key: KeyId,
    at: Timestamp,
    outcome: Outcome,
    count: i64,
) -> Past<'static> {
    Past {
        org_id,
        subject: Subject::Key(key, SecretId::new(0, [0; 10])),
        cell: Cell {
            project: None,
            group: Group::Keys(Kind::Secret, Environment::Live),
        },
        class: ClassIndex::default(),
        outcome,
        at,
        count,
        site: None,
        came_with: None,
    }
}

impl TestApp {
    /// Stores counts, then the sums of this hour.
    pub async fn store_past(&self, past: &[Past<'_>]) {
        let operator = Operator::at_the_command_line();
        past::store(&self.engine, &operator, past).await.unwrap();
        roll(&self.engine).await.unwrap();
    }

    /// Stores valid requests of a key at a time in RFC 3339, or at the start of a day.
    pub async fn count(&self, org_id: OrgId, key: KeyId, at: &str, count: i64) {
        self.store_past(&[past(org_id, key, time(at), Outcome::Valid, count)])
            .await;
    }

    /// The counts of keys and agents in a table: `minutes`, `hours` or `days`.
    pub async fn stored(&self, table: &str) -> Vec<Stored> {
        let sql = format!(
            "SELECT ref_id || ' ' || CAST(outcome AS TEXT) || ' ' || CAST(starts_at AS TEXT) || ' ' \
             || CAST(count AS TEXT) || ' ' || usage_classes.name FROM usage_{table} \
             JOIN usage_subjects ON usage_subjects.id = subject JOIN usage_classes ON usage_classes.id = class \
             WHERE kind IN (2, 3)"
        );
        let read = |text: String| {
            let parts: Vec<&str> = text.splitn(5, ' ').collect();
            let number: i64 = parts[1].parse().unwrap();
            let mut outcomes = Outcome::ALL.iter();
            Stored {
                id: parts[0].to_owned(),
                class: parts[4].to_owned(),
                outcome: *outcomes.find(|outcome| outcome.number() == number).unwrap(),
                step: parts[2].parse().unwrap(),
                count: parts[3].parse().unwrap(),
            }
        };
        let rows = self.database.texts(&sql).await;
        let mut stored: Vec<Stored> = rows.into_iter().map(read).collect();
        stored.sort();
        stored
    }

    /// The counts of today by outcome, such as `VALID 2`, in the order of the outcomes.
    pub async fn outcomes(&self) -> Vec<String> {
        let mut days = self.stored("days").await;
        days.sort_by_key(|day| day.outcome);
        days.iter()
            .map(|day| format!("{} {}", day.outcome, day.count))
            .collect()
    }
}
