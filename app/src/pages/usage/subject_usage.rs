//! The requests of a key or an agent, on its own page.

use latchkey::{
    access::Membership,
    agents::PublicId,
    id::KeyId,
    usage::{
        Range,
        question::Question,
        report::{self, ReportError},
    },
};

use super::{
    address::Address, edges::Edges, filters::problem_sentence, report_text::ReportText,
    unusual::UnusualDays,
};
use crate::{chart::Counts, error::AppError, request::PageRequest, text::time::zone};

/// The requests of a key or an agent in a period.
#[derive(Debug, Clone)]
pub struct SubjectUsage {
    /// The page of the key or agent, with the question about its requests.
    pub address: Address,
    /// The page with all about its use.
    pub whole: String,
    /// The answer, or what is wrong with the question.
    pub report: Result<ReportText, String>,
    /// The days that stand out.
    pub unusual: UnusualDays,
    /// The requests of today.
    pub today: Counts,
    /// The requests of the last 30 days.
    pub month: Counts,
}

/// What a question about one key or agent has no use for.
const OF_SEVERAL: [&str; 6] = ["key", "agent", "project", "environment", "kind", "group_by"];

/// What the page of a key or an agent is about.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Key(KeyId),
    Agent(PublicId),
}

/// Loads the requests of a key that the URL of its page asks for, by default those of the last 30 days.
///
/// # Errors
/// If the user is not allowed to see them, or the database cannot be reached.
pub async fn of_key(
    request: &PageRequest,
    membership: &Membership,
    key: KeyId,
) -> Result<SubjectUsage, AppError> {
    of(request, membership, Subject::Key(key)).await
}

/// Loads the requests with the public ID of an agent in place of a key, likewise. `None` if nothing was counted of it yet.
///
/// # Errors
/// If the user is not allowed to see them, or the database cannot be reached.
pub async fn of_agent(
    request: &PageRequest,
    membership: &Membership,
    agent: PublicId,
) -> Result<Option<SubjectUsage>, AppError> {
    match of(request, membership, Subject::Agent(agent)).await {
        Ok(usage) => Ok(Some(usage)),
        Err(AppError::Unreadable) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn of(
    request: &PageRequest,
    membership: &Membership,
    subject: Subject,
) -> Result<SubjectUsage, AppError> {
    let engine = request.engine();
    let slug = &membership.org().slug;
    let (path, filter, id, key, mut usual) = match subject {
        Subject::Key(key) => {
            let usual = Question::of_key(key, Range::Days30);
            ("keys", "key", key.to_string(), Some(key), usual)
        }
        Subject::Agent(agent) => {
            let usual = Question::of_agent(agent, Range::Days30);
            ("agents", "agent", agent.to_string(), None, usual)
        }
    };
    let address = Address::read(format!("/orgs/{slug}/{path}/{id}"), request.query());
    let address = address.without(&OF_SEVERAL);
    let zone = zone();
    usual.zone = zone.clone();
    let asked = address.clone().and(filter, &id);
    let whole = asked.href_of(&format!("/orgs/{slug}/usage"));
    let permit = membership.permit()?;
    let usual_report = report::with_details(engine, &permit, &usual).await?;
    let today = usual_report.steps.last().map(|today| today.counts.into());
    let month = usual_report.total.into();
    let now = engine.clock().now();
    let names = Edges::of(&address, &zone).names();
    let report = match Question::read(&asked.pairs, engine.convention(), zone) {
        Ok(question) if question == usual => Ok((usual_report, question)),
        Ok(question) => match report::with_details(engine, &permit, &question).await {
            Ok(report) => Ok((report, question)),
            Err(ReportError::Invalid(invalid)) => Err(problem_sentence(&invalid, names)),
            Err(ReportError::Storage(error)) => return Err(error.into()),
        },
        Err(invalid) => {
            let sentences = invalid
                .iter()
                .map(|invalid| problem_sentence(invalid, names));
            Err(sentences.collect::<Vec<_>>().join(" "))
        }
    };
    let unusual = match &report {
        Ok((report, _)) => UnusualDays::of(engine, membership, report, key).await?,
        Err(_) => UnusualDays::default(),
    };
    let report =
        report.map(|(report, question)| ReportText::new(&report, &question, &address, now));
    Ok(SubjectUsage {
        address,
        whole,
        report,
        unusual,
        today: today.unwrap_or_default(),
        month,
    })
}
