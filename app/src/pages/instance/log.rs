//! `/instance/log`: what happened outside any organization.

use std::collections::HashMap;

use latchkey::audit::{self, AuditQuery};
use leptos::prelude::*;

use super::{
    head::InstanceHead,
    log_table::{LOG_SIZE, LogTable},
};
use crate::{error::AppError, pages::page::page, request::PageRequest};

async fn load(request: PageRequest) -> Result<(audit::Page, Option<i64>), AppError> {
    let operator = request.operator().await?;
    let before = request.parameter("before").parse().ok();
    let query = AuditQuery {
        before,
        limit: LOG_SIZE,
        ..AuditQuery::default()
    };
    let entries = audit::list_of_instance(request.engine(), &operator, &query).await?;
    Ok((entries, before))
}

#[component]
pub fn InstanceLogPage() -> impl IntoView {
    page(load, |request, (entries, before)| {
        let path = request.path().to_owned();
        let lead = "Operators, service tokens for the whole instance, deleted accounts, and sign-ins of people who are in no organization. Each organization has its own log.";
        view! {
            <InstanceHead title="Instance log" lead=lead.into_any()/>
            <LogTable title="Entries" path slug=String::new() projects=HashMap::new() entries before/>
        }
    })
}
