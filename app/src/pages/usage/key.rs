//! The requests of a key, on its own page.

use latchkey::{
    access::Membership,
    accounts::time_zone::time_zone,
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
use crate::{chart::Counts, error::AppError, request::PageRequest};

/// The requests of a key in a period.
#[derive(Debug, Clone)]
pub struct KeyUsage {
    /// The page of the key, with the question about its requests.
    pub address: Address,
    /// The page with all about the use of the key.
    pub whole: String,
    /// The answer, or what is wrong with the question.
    pub report: Result<ReportText, String>,
    /// The days that stand out.
    pub unusual: UnusualDays,
    /// The requests of today.
    pub today: Counts,
}

/// What a question about one key has no use for.
const OF_SEVERAL: [&str; 6] = ["key", "agent", "project", "environment", "kind", "group_by"];

/// Loads the requests of a key that the URL of its page asks for, by default those of the last 30 days.
///
/// # Errors
/// If the user is not allowed to see them, or the database cannot be reached.
pub async fn of_key(
    request: &PageRequest,
    membership: &Membership,
    key: KeyId,
) -> Result<KeyUsage, AppError> {
    let engine = request.engine();
    let slug = &membership.org().slug;
    let address = Address::read(format!("/orgs/{slug}/keys/{key}"), request.query());
    let address = address.without(&OF_SEVERAL);
    let zone = time_zone(engine, request.user_id().await?).await?;
    let mut usual = Question::of_key(key, Range::Days30);
    usual.zone = zone.clone();
    let asked = address.clone().and("key", &key.to_string());
    let whole = asked.href_of(&format!("/orgs/{slug}/usage"));
    let permit = membership.permit()?;
    let usual_report = report::with_details(engine, &permit, &usual).await?;
    let today = usual_report.steps.last().map(|today| today.counts.into());
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
        Ok((report, _)) => UnusualDays::of(engine, membership, report, Some(key)).await?,
        Err(_) => UnusualDays::default(),
    };
    let report =
        report.map(|(report, question)| ReportText::new(&report, &question, &address, now));
    Ok(KeyUsage {
        address,
        whole,
        report,
        unusual,
        today: today.unwrap_or_default(),
    })
}
