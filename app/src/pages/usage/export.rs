//! The usage page as a file.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Permit, to},
    name::Slug,
    usage::{
        export::exported,
        question::{Dimension, Question},
        report::{self, Report, ReportError},
    },
};

use super::{address::Address, data::read};
use crate::{error::AppError, request::PageRequest};

/// What a file is about.
#[derive(Debug)]
pub struct Export {
    /// The organization's slug.
    pub org: Slug,
    pub engine: Arc<Engine>,
    pub permit: Permit<to::SeeUsageDetails>,
    pub question: Question,
}

impl Export {
    /// Reads the question in the URL, and records the export.
    ///
    /// # Errors
    /// If the user is not allowed to export usage, the question is invalid, or the database cannot be reached.
    pub async fn open(request: PageRequest) -> Result<Self, AppError> {
        let membership = request.membership().await?;
        let permit = membership.permit::<to::ExportUsage>()?;
        let address = Address::read(String::new(), request.query());
        let question = read(&request, &address).await?;
        let export = Self {
            org: membership.org().slug.clone(),
            engine: Arc::clone(request.engine()),
            permit: membership.permit()?,
            question: question.map_err(|_| AppError::Unreadable)?,
        };
        exported(&export.engine, &permit);
        Ok(export)
    }

    /// The report of the file. Without a choice, the page divides its total by key, and so does the file, as far back as
    /// this is known.
    ///
    /// # Errors
    /// If the question has no answer, or the database cannot be reached.
    pub async fn report(&self) -> Result<Report, ReportError> {
        if self.question.group_by.is_none() {
            let by_key = Question {
                group_by: Some(Dimension::Key),
                ..self.question.clone()
            };
            match report::with_details(&self.engine, &self.permit, &by_key).await {
                Err(ReportError::Invalid(_)) => {}
                answered => return answered,
            }
        }
        report::with_details(&self.engine, &self.permit, &self.question).await
    }
}
