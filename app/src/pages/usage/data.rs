//! The data of the usage page.

use std::collections::HashMap;

use latchkey::{
    Engine,
    access::{Membership, to},
    convention::KindNames,
    id::KeyId,
    keys::{KeySummary, show::summaries},
    projects,
    role::Action,
    usage::{
        parts::{self, KeysInUse},
        question::{Dimension, Filters, InvalidParameter, Question},
        report::{self, Group, ReportError},
    },
};

use super::{
    address::Address,
    alerts::{Alerts, alerts},
    choices::Choices,
    edges::Edges,
    key_by_name::with_id,
    report_text::ReportText,
    subject::subject,
    unusual::UnusualDays,
};
use crate::{chart::Counts, error::AppError, request::PageRequest};

/// The data of the page.
#[derive(Debug, Clone)]
pub struct OrgUsage {
    /// The organization's slug.
    pub org: String,
    pub address: Address,
    /// The start and the end in the form.
    pub edges: Edges,
    /// What is shown, for the heading; empty if the question is invalid.
    pub subject: String,
    pub choices: Choices,
    /// For users who can see them.
    pub alerts: Option<Alerts>,
    /// What was asked and the answer, or what is wrong with the question.
    pub answer: Result<Answer, Vec<InvalidParameter>>,
}

/// The answer to a question.
#[derive(Debug, Clone)]
pub struct Answer {
    pub report: ReportText,
    /// The number of active keys, and how many of them are used, if the question is about all keys.
    pub in_use: Option<KeysInUse>,
    /// The days that stand out.
    pub unusual: UnusualDays,
    /// The total divided by what the question says, or by key and by agent.
    pub tables: Vec<Table>,
}

/// The total divided by a dimension.
#[derive(Debug, Clone)]
pub struct Table {
    pub by: Dimension,
    /// The largest groups, most requests first.
    pub rows: Vec<Row>,
    /// All other requests.
    pub other: Counts,
}

/// The requests of a group.
#[derive(Debug, Clone)]
pub struct Row {
    /// The path of the page of the key or agent, or that of the requests of this group.
    pub href: String,
    pub name: String,
    /// What is shown of the secret of a key, or the public ID of an agent, if another row has the same name.
    pub told_apart: Option<String>,
    /// The requests in the period.
    pub counts: Counts,
    /// The sum over the same part of the previous period.
    pub before: Counts,
}

/// The most rows of a table: a longer one would be no more useful than the list of keys.
const ROWS: usize = 50;

/// Loads the usage of an organization that the query asks for. Every member can see the totals.
///
/// # Errors
/// If the user is not signed in, not a member of the organization or not allowed to see details, or the database cannot be
/// reached.
pub async fn usage(request: &PageRequest, org: &str, query: &str) -> Result<OrgUsage, AppError> {
    let membership = request.membership_of(org).await?;
    let engine = request.engine();
    let address = Address::read(format!("/orgs/{org}/usage"), query);
    let with_details = membership.may(Action::SeeUsageDetails);
    let convention = engine.convention();
    let choices = Choices {
        with_details,
        kinds: convention.kinds().collect(),
        projects: match with_details {
            true => projects::list(engine, &membership.permit()?)
                .await?
                .into_iter()
                .map(|project| (project.id.to_string(), project.name.to_string()))
                .collect(),
            false => Vec::new(),
        },
        kind_names: convention.kind_names.clone(),
        classes: convention.classes.keys().cloned().collect(),
    };
    let zone = request.zone().await?;
    let edges = Edges::of(&address, &zone);
    let (address, question) = match with_id(request, &membership, address.clone()).await? {
        Ok(address) => {
            let question = Question::read(&address.pairs, engine.convention(), zone);
            (address, question)
        }
        Err(invalid) => (address, Err(vec![invalid])),
    };
    let (subject, answer) = match question {
        Err(invalid) => (String::new(), Err(invalid)),
        Ok(question) => match answered(engine, &membership, &address, &question).await? {
            Ok(answer) => (
                subject(engine, &membership, &question.filters, &choices).await?,
                Ok(answer),
            ),
            Err(invalid) => (String::new(), Err(invalid)),
        },
    };
    let only_key = only_key(&address).filter(|_| with_details);
    Ok(OrgUsage {
        org: org.to_owned(),
        alerts: match about_lately(&address) {
            true => alerts(engine, &membership, only_key).await?,
            false => None,
        },
        address,
        edges,
        subject,
        choices,
        answer,
    })
}

/// The key, if the question is about one.
fn only_key(address: &Address) -> Option<KeyId> {
    let mut keys = address.values("key");
    let only = keys.next()?.parse().ok()?;
    keys.next().is_none().then_some(only)
}

/// Whether the question is about the last days of all keys or of one: alerts belong to these.
fn about_lately(address: &Address) -> bool {
    let others = address.without(&["key"]).filters();
    others == 0
        && address.value("from").is_empty()
        && (address.filters() == 0 || only_key(address).is_some())
}

/// The question in the URL. Days are cut in the user's time zone unless it names another.
///
/// # Errors
/// If the user is not signed in, or the database cannot be reached.
pub async fn read(
    request: &PageRequest,
    address: &Address,
) -> Result<Result<Question, Vec<InvalidParameter>>, AppError> {
    let engine = request.engine();
    let zone = request.zone().await?;
    Ok(Question::read(&address.pairs, engine.convention(), zone))
}

/// Why there is no answer.
enum Unanswered {
    Invalid(InvalidParameter),
    App(AppError),
}

impl<E: Into<AppError>> From<E> for Unanswered {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Answers a question, or returns what is wrong with it.
///
/// # Errors
/// If the role does not allow it, or the database cannot be reached.
pub async fn answered(
    engine: &Engine,
    membership: &Membership,
    address: &Address,
    question: &Question,
) -> Result<Result<Answer, Vec<InvalidParameter>>, AppError> {
    match answer(engine, membership, address, question).await {
        Ok(answer) => Ok(Ok(answer)),
        Err(Unanswered::Invalid(invalid)) => Ok(Err(vec![invalid])),
        Err(Unanswered::App(error)) => Err(error),
    }
}

async fn answer(
    engine: &Engine,
    membership: &Membership,
    address: &Address,
    question: &Question,
) -> Result<Answer, Unanswered> {
    let details = if question.needs_details() {
        Some(membership.permit::<to::SeeUsageDetails>()?)
    } else {
        membership.permit_if_allowed()
    };
    let answered = match &details {
        Some(permit) => report::with_details(engine, permit, question).await,
        None => report::of_org(engine, &membership.permit()?, question).await,
    };
    let mut report = answered.map_err(unanswered)?;
    let mut tables = Vec::new();
    let groups = report.groups.take();
    let kinds = &engine.convention().kind_names;
    let of = |by, groups: Vec<Group>, told_apart| {
        let total = Counts::from(report.total);
        table(by, groups, total, membership, address, kinds, &told_apart)
    };
    if let Some(groups) = groups {
        let told_apart = told_apart(engine, membership, groups.by, &groups.largest).await?;
        tables.push(of(groups.by, groups.largest, told_apart));
    } else if let Some(permit) = &details {
        for by in [Dimension::Key, Dimension::Agent] {
            match report::largest(engine, permit, question, by).await {
                Ok(groups) => {
                    let told_apart = told_apart(engine, membership, by, &groups).await?;
                    tables.push(of(by, groups, told_apart));
                }
                // They are known for two years only.
                Err(ReportError::Invalid(_)) => {}
                Err(error) => return Err(unanswered(error)),
            }
        }
        // Keys are the rule, and all other requests have one.
        tables.retain(|table| table.by == Dimension::Key || !table.rows.is_empty());
        for table in &mut tables {
            if table.by == Dimension::Agent {
                table.other = Counts::default();
            }
        }
    }
    let now = engine.clock().now();
    let is_of_all = question.filters == Filters::default();
    let in_use = match &details {
        Some(permit) if is_of_all => {
            let period = (report.starts_at(), report.ends_at);
            Some(parts::keys_in_use(engine, permit, period).await?)
        }
        _ => None,
    };
    let key = question.filters.keys.first().copied();
    Ok(Answer {
        unusual: UnusualDays::of(engine, membership, &report, key).await?,
        report: ReportText::new(&report, question, address, now),
        in_use,
        tables,
    })
}

fn unanswered(error: ReportError) -> Unanswered {
    match error {
        ReportError::Invalid(invalid) => Unanswered::Invalid(invalid),
        ReportError::Storage(error) => Unanswered::App(error.into()),
    }
}

/// By ID, what tells those keys and agents apart whose name others in the table have, too.
async fn told_apart(
    engine: &Engine,
    membership: &Membership,
    by: Dimension,
    groups: &[Group],
) -> Result<HashMap<String, String>, AppError> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for group in groups {
        *names.entry(&group.name).or_default() += 1;
    }
    let ids = groups
        .iter()
        .filter(|group| {
            names
                .get(group.name.as_str())
                .is_some_and(|count| *count > 1)
        })
        .map(|group| &group.id);
    match by {
        Dimension::Key => {
            let ids: Vec<KeyId> = ids.filter_map(|id| id.parse().ok()).collect();
            let keys = summaries(engine, &membership.permit()?, &ids).await?;
            let of_key = |key: KeySummary| (key.id.to_string(), key.display);
            Ok(keys.into_iter().map(of_key).collect())
        }
        Dimension::Agent => Ok(ids.map(|id| (id.clone(), id.clone())).collect()),
        _ => Ok(HashMap::new()),
    }
}

fn table(
    by: Dimension,
    groups: Vec<Group>,
    total: Counts,
    membership: &Membership,
    address: &Address,
    kinds: &KindNames,
    told_apart: &HashMap<String, String>,
) -> Table {
    let base = format!("/orgs/{}", membership.org().slug);
    let mut other = total;
    let rows = groups.into_iter().take(ROWS).map(|group| {
        let counts = Counts::from(group.counts);
        other.passed = (other.passed - counts.passed).max(0);
        other.limited = (other.limited - counts.limited).max(0);
        other.refused = (other.refused - counts.refused).max(0);
        let href = match by {
            Dimension::Key => format!("{base}/keys/{}", group.id),
            Dimension::Agent => format!("{base}/agents/{}", group.id),
            _ => {
                let narrowed = address.without(&["group_by", by.as_str()]);
                narrowed.and(by.as_str(), &group.id).href()
            }
        };
        Row {
            href,
            name: super::words::group_name(kinds, by, &group.id, &group.name),
            told_apart: told_apart.get(&group.id).cloned(),
            counts,
            before: group.before.into(),
        }
    });
    let rows = rows.collect();
    Table { by, rows, other }
}
