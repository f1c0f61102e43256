//! The report of an open page, which is sent to it while it is open.

use latchkey::{
    Engine,
    access::{Membership, to},
    role::Action,
    time::Zone,
    usage::{
        question::Question,
        report::{ReportError, check},
    },
};

use super::{address::Address, data::answered, key_by_name::with_id, page::report_html};
use crate::{
    error::AppError,
    request::PageRequest,
    text::time::{in_zone, shown_in},
};

/// The longest query in bytes of a page that updates itself.
const MAX_QUERY: usize = 2_000;

/// What a page shows: its question, and whether it has what only owners and admins see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LiveView {
    query: String,
    /// The name of the zone in which days are cut, unless the query names another.
    zone: String,
    pub with_details: bool,
}

impl LiveView {
    /// The view of the page with the request's query.
    ///
    /// # Errors
    /// If the query is too long or asks nothing that can be answered, or the database cannot be reached.
    pub async fn of(request: &PageRequest, membership: &Membership) -> Result<Self, AppError> {
        let query = request.query();
        if query.len() > MAX_QUERY {
            return Err(AppError::Unreadable);
        }
        let zone = request.zone().await?;
        // A form that was sent without a script leaves the name of a key in the URL.
        let address = Address::read(String::new(), query);
        let address = with_id(request, membership, address).await?;
        let address = address.map_err(|_| AppError::Unreadable)?.href();
        let view = Self {
            query: address.trim_start_matches('?').to_owned(),
            zone: zone.to_string(),
            with_details: membership.may(Action::SeeUsageDetails),
        };
        let (_, question) = view.question(request.engine(), membership)?;
        if question.needs_details() && !view.with_details {
            membership.permit::<to::SeeUsageDetails>()?;
        }
        check(request.engine(), &membership.permit()?, &question)
            .await
            .map_err(|error| match error {
                ReportError::Invalid(_) => AppError::Unreadable,
                ReportError::Storage(error) => error.into(),
            })?;
        Ok(view)
    }

    fn question(
        &self,
        engine: &Engine,
        membership: &Membership,
    ) -> Result<(Address, Question), AppError> {
        let path = format!("/orgs/{}/usage", membership.org().slug);
        let address = Address::read(path, &self.query);
        let zone: Zone = self.zone.parse().map_err(|_| AppError::Unreadable)?;
        let question = Question::read(&address.pairs, engine.convention(), zone);
        Ok((address, question.map_err(|_| AppError::Unreadable)?))
    }

    /// Returns the report, as this member sees it.
    ///
    /// # Errors
    /// If the question can no longer be answered, the role does not allow it, or the database cannot be reached.
    pub async fn report(
        &self,
        engine: &Engine,
        membership: &Membership,
    ) -> Result<String, AppError> {
        let (address, question) = self.question(engine, membership)?;
        let zone: Zone = self.zone.parse().map_err(|_| AppError::Unreadable)?;
        let answering = answered(engine, membership, &address, &question);
        let answer = in_zone(zone.clone(), answering).await?;
        let answer = answer.map_err(|_| AppError::Unreadable)?;
        let org = membership.org().slug.to_string();
        let show = || report_html(org, address, answer, self.with_details);
        Ok(shown_in(zone, show))
    }
}
