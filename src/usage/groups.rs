//! The sum of a report divided by one dimension.

use std::collections::HashMap;

use crate::{
    db::{On, StorageError, Tx, on},
    id::OrgId,
    time::Timestamp,
};

use super::{
    count::{By, Narrow, Piece, Sum, before_sums, listed, sums},
    counts::Counts,
    ids::kind,
    question::{Dimension, Filters, InvalidParameter, Question},
    selection::{About, ReportError, Selection, projects},
    totals::{COLUMNS, Periods},
    window::Window,
};

/// The maximum number of groups. All others are counted together.
pub const MAX_GROUPS: usize = 100;
/// Keys or agents that are counted at a time, most promising first.
const AT_ONCE: usize = 200;
/// The most promising ones, which are usually enough.
const FIRST: usize = 1_000;
/// How many times as long as the period the time of the sums can be. If it is longer, as for an old day, the sums say little
/// about the period, and all are counted at once.
const SAYS_ENOUGH: i64 = 8;

/// Requests that have one value of the dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The value, as in a filter.
    pub id: String,
    /// The name of what has an ID; otherwise the value again.
    pub name: String,
    /// The counts in the period.
    pub counts: Counts,
    /// The sum over the same part of the previous period.
    pub before: Counts,
}

/// The sum of a report, divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// By what.
    pub by: Dimension,
    /// Those with the most requests, most requests first.
    pub largest: Vec<Group>,
    /// All requests in no group: those of other groups, and those without a value, such as requests with a key in groups
    /// by agent.
    pub other: Counts,
}

impl Groups {
    /// Divides `total`.
    pub(super) async fn new(
        tx: &mut Tx,
        org_id: OrgId,
        question: &Question,
        by: Dimension,
        (selection, window, total): (&Selection, &Window, Counts),
        now: Timestamp,
    ) -> Result<Self, ReportError> {
        let filters = &question.filters;
        let largest = match by {
            Dimension::Key | Dimension::Agent if is_listed(filters) => {
                divided(tx, org_id, by, selection, window).await?
            }
            Dimension::Key if !filters.include_keys() => Vec::new(),
            Dimension::Agent if !filters.include_agents() => Vec::new(),
            Dimension::Key | Dimension::Agent => {
                let candidates = Candidates::new(org_id, question, by, &selection.narrow);
                let subjects = candidates.largest(tx, window, now).await?;
                let of_these = Selection {
                    about: names(tx, org_id, by, &subjects).await?,
                    subjects,
                    narrow: selection.narrow.clone(),
                    classes: HashMap::new(),
                };
                divided(tx, org_id, by, &of_these, window).await?
            }
            _ => divided(tx, org_id, by, selection, window).await?,
        };
        let mut other = total;
        for group in &largest {
            other.subtract(group.counts);
        }
        Ok(Self { by, largest, other })
    }

    /// Checks that the groups of a question are known.
    ///
    /// # Errors
    /// If the period began before the sums by which keys and agents are ranked.
    pub(super) fn check(
        question: &Question,
        window: &Window,
        now: Timestamp,
    ) -> Result<(), InvalidParameter> {
        match question.group_by {
            Some(Dimension::Key | Dimension::Agent) if !is_listed(&question.filters) => {
                sums_since(window, now).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Whether a question names its keys or agents.
fn is_listed(filters: &Filters) -> bool {
    !filters.keys.is_empty() || !filters.agents.is_empty()
}

/// The largest groups of the selection.
async fn divided(
    tx: &mut Tx,
    org_id: OrgId,
    by: Dimension,
    selection: &Selection,
    window: &Window,
) -> Result<Vec<Group>, StorageError> {
    let projects = match by {
        Dimension::Project => projects(tx, org_id).await?,
        _ => HashMap::new(),
    };
    // ID and name; `None` if it has none.
    let group_of = |sum: &Sum| -> Option<(String, String)> {
        let about = selection.about.get(&sum.of);
        let word = |word: &String| (!word.is_empty()).then(|| (word.clone(), word.clone()));
        match by {
            Dimension::Class => word(selection.classes.get(&sum.class)?),
            Dimension::Outcome => {
                let code = sum.outcome.code();
                Some((code.to_owned(), code.to_owned()))
            }
            Dimension::Environment => word(&about?.environment),
            Dimension::Kind => word(&about?.kind),
            Dimension::Project => {
                let id = &about?.project;
                Some((id.clone(), projects.get(id)?.clone()))
            }
            Dimension::Key | Dimension::Agent => {
                let about = about?;
                let is_agent = about.kind == "agent";
                (is_agent == (by == Dimension::Agent))
                    .then(|| (about.id.clone(), about.name.clone()))
            }
        }
    };
    let mut groups: HashMap<String, Group> = HashMap::new();
    let mut add = |sum: &Sum, is_before: bool, count: i64| {
        let Some((id, name)) = group_of(sum) else {
            return;
        };
        let group = groups.entry(id.clone()).or_insert_with(|| Group {
            id,
            name,
            counts: Counts::default(),
            before: Counts::default(),
        });
        let counts = if is_before {
            &mut group.before
        } else {
            &mut group.counts
        };
        counts.add(sum.outcome.group(), count);
    };
    let (subjects, narrow) = (&selection.subjects, &selection.narrow);
    for piece in window.whole() {
        for sum in sums(tx, subjects, narrow, piece, By::Subject).await? {
            add(&sum, false, sum.count);
        }
    }
    for (sum, count) in before_sums(tx, subjects, narrow, window.before.as_ref()).await? {
        add(&sum, true, count);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.retain(|group| group.counts.all() + group.before.all() > 0);
    groups.sort_by(|a, b| (b.counts.all(), &a.id).cmp(&(a.counts.all(), &b.id)));
    groups.truncate(MAX_GROUPS);
    Ok(groups)
}

/// The keys or agents that can be among the largest, with a sum of each that is at least what it has in the period.
struct Candidates<'a> {
    org_id: OrgId,
    by: Dimension,
    /// The condition on the columns of `keys` or `agents`.
    condition: String,
    narrow: &'a Narrow,
}

impl<'a> Candidates<'a> {
    fn new(org_id: OrgId, question: &Question, by: Dimension, narrow: &'a Narrow) -> Self {
        let filters = &question.filters;
        let mut condition = String::new();
        // The values are IDs and words that were parsed, without quotation marks.
        let mut limit = |column: &str, values: Vec<String>| {
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
                condition += &format!(" AND named.{column} IN ({})", values.join(", "));
            }
        };
        limit(
            "project_id",
            filters.projects.iter().map(ToString::to_string).collect(),
        );
        if by == Dimension::Key {
            limit(
                "environment",
                filters
                    .environments
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            );
            let kinds = filters.kinds.iter().filter_map(|kind| kind.kind());
            limit("kind", kinds.map(|kind| kind.to_string()).collect());
        }
        Self {
            org_id,
            by,
            condition,
            narrow,
        }
    }

    /// The subjects with the most requests in the period.
    ///
    /// They are counted in the order of their sums in `usage_totals` since a time before the period began, until no other can
    /// have more than the last of the largest.
    async fn largest(
        &self,
        tx: &mut Tx,
        window: &Window,
        now: Timestamp,
    ) -> Result<Vec<i64>, ReportError> {
        let (column, since) = sums_since(window, now)?;
        if now.since(since) > SAYS_ENOUGH * window.end().since(window.start()) {
            return self.largest_of_all(tx, window, column).await;
        }
        let mut largest: Vec<(i64, i64)> = Vec::new();
        let mut rest = self.candidates(tx, column).await?;
        let is_all = rest.len() < FIRST;
        loop {
            let Some((_, most)) = rest.first() else {
                if is_all {
                    break;
                }
                return self.largest_of_all(tx, window, column).await;
            };
            let last = largest.get(MAX_GROUPS - 1);
            if last.is_some_and(|(count, _)| count >= most) {
                break;
            }
            let next: Vec<_> = rest.drain(..rest.len().min(AT_ONCE)).collect();
            let subjects: Vec<i64> = next.iter().map(|(subject, _)| *subject).collect();
            let mut counts: HashMap<i64, i64> =
                subjects.iter().map(|subject| (*subject, 0)).collect();
            for piece in window.whole() {
                for sum in sums(tx, &subjects, self.narrow, piece, By::Subject).await? {
                    *counts.entry(sum.of).or_default() += sum.count;
                }
            }
            largest.extend(counts.into_iter().map(|(subject, count)| (count, subject)));
            largest.sort_unstable_by_key(|(count, subject)| (-count, *subject));
            largest.truncate(MAX_GROUPS);
        }
        Ok(largest.into_iter().map(|(_, subject)| subject).collect())
    }

    /// The most promising subjects, with their sums.
    async fn candidates(&self, tx: &mut Tx, column: &str) -> Result<Vec<(i64, i64)>, StorageError> {
        let rows = self.rows(column);
        let sql = format!(
            "SELECT CAST(subject AS BIGINT), CAST(SUM({column}) AS BIGINT) {rows} \
             GROUP BY subject ORDER BY 2 DESC, 1 LIMIT {FIRST}"
        );
        on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .persistent(false).bind(self.org_id).bind(self.kind()).fetch_all(c).await)
        .map_err(StorageError::from)
    }

    /// The subjects with the most requests, all of which are counted in one statement.
    async fn largest_of_all(
        &self,
        tx: &mut Tx,
        window: &Window,
        column: &str,
    ) -> Result<Vec<i64>, ReportError> {
        let rows = self.rows(column);
        let narrow = self.narrow.condition();
        // Postgres looks up the values of an array in one walk through the index, in less than half the time of single look-ups.
        let is_candidate = match tx.on() {
            On::Sqlite(_) => "subject IN (SELECT subject FROM candidates)",
            On::Postgres(_) => "subject = ANY (ARRAY(SELECT subject FROM candidates))",
        };
        let counts = window.whole().into_iter().map(|piece| {
            let Piece {
                resolution,
                from,
                to,
            } = piece;
            format!(
                "SELECT subject, count FROM {} WHERE {is_candidate} \
                 AND starts_at >= {} AND starts_at < {}{narrow}",
                resolution.table,
                resolution.step(from),
                resolution.first_step(to)
            )
        });
        let sql = format!(
            "WITH candidates AS MATERIALIZED (SELECT DISTINCT subject {rows}) \
             SELECT CAST(subject AS BIGINT) FROM ({}) AS counted \
             GROUP BY subject ORDER BY SUM(count) DESC, subject LIMIT {MAX_GROUPS}",
            counts.collect::<Vec<_>>().join(" UNION ALL ")
        );
        Ok(
            on!(tx.on(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .persistent(false).bind(self.org_id).bind(self.kind()).fetch_all(c).await)
            .map_err(StorageError::from)?,
        )
    }

    fn kind(&self) -> i64 {
        match self.by {
            Dimension::Agent => kind::AGENT,
            _ => kind::KEY,
        }
    }

    /// The rows of `usage_totals` with a sum in the column.
    fn rows(&self, column: &str) -> String {
        let kind = self.kind();
        let table = match self.by {
            Dimension::Agent => "agents",
            _ => "keys",
        };
        // Agents can be deleted while their counts are kept.
        let named = match self.condition.is_empty() && kind == kind::KEY {
            true => String::new(),
            false => format!(
                "AND subject IN (SELECT counted.id FROM usage_subjects AS counted JOIN {table} AS named \
                 ON named.id = counted.ref_id WHERE named.org_id = $1 AND counted.org_id = $1 AND counted.kind = $2{})",
                self.condition
            ),
        };
        format!(
            "FROM usage_totals WHERE org = (SELECT id FROM usage_subjects WHERE org_id = $1 AND kind = 0) AND kind = $2 \
             AND {column} > 0 {named}{}",
            self.narrow.condition()
        )
    }
}

/// The column of `usage_totals` with the sums since a time before the period began, and that time.
fn sums_since(
    window: &Window,
    now: Timestamp,
) -> Result<(&'static str, Timestamp), InvalidParameter> {
    let mut columns = COLUMNS.into_iter().zip(Periods::at(now).starts);
    columns
        .find(|(_, start)| *start <= window.start())
        .ok_or_else(|| {
            let text = "can be `key` or `agent` only if `from` is in the last two years";
            InvalidParameter::new("group_by", text)
        })
}

/// The names of keys or agents.
async fn names(
    tx: &mut Tx,
    org_id: OrgId,
    by: Dimension,
    subjects: &[i64],
) -> Result<HashMap<i64, About>, StorageError> {
    let (table, id, kind) = match by {
        Dimension::Agent => ("agents", "agents.public_id", "agent"),
        _ => ("keys", "keys.id", ""),
    };
    let sql = format!(
        "SELECT CAST(counted.id AS BIGINT), {id}, {table}.name FROM usage_subjects AS counted \
         JOIN {table} ON {table}.id = counted.ref_id AND {table}.org_id = $1 WHERE counted.id IN ({})",
        listed(subjects)
    );
    let rows: Vec<(i64, String, String)> = on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .persistent(false).bind(org_id).fetch_all(c).await)?;
    let of_row = |(subject, id, name)| {
        let kind = kind.to_owned();
        let about = About {
            id,
            name,
            kind,
            ..About::default()
        };
        (subject, about)
    };
    Ok(rows.into_iter().map(of_row).collect())
}
