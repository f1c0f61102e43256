//! `/instance/organizations/{org_id}`: one organization, also a deleted one, with its audit log.

use std::collections::HashMap;

use latchkey::{
    access::{Permit, to},
    audit::{self, AuditQuery},
    id::OrgId,
    keys::project,
    operators::orgs::{self, OrgSummary},
    orgs::delete::{Ends, what_ends},
};
use leptos::prelude::*;

use super::log_table::{LOG_SIZE, LogTable};
use crate::{
    error::AppError,
    form::errors::Errors,
    pages::{
        audit::is_about_project,
        delete_org::{DeleteForm, DeleteFormFields},
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        page::page,
    },
    request::PageRequest,
    text::{
        number::grouped,
        time::{Time, TimeText},
    },
};

struct OneOrg {
    org: OrgSummary,
    /// `None` if it is deleted.
    ends: Option<Ends>,
    entries: audit::Page,
    /// The names of its projects by ID, if entries are about them.
    projects: HashMap<String, String>,
    before: Option<i64>,
}

async fn load(request: PageRequest) -> Result<OneOrg, AppError> {
    let operator = request.operator().await?;
    let engine = request.engine();
    let id: OrgId = request.id("org_id")?;
    let org = orgs::find(engine, &operator, id).await?;
    let org = org.ok_or(AppError::NotFound)?;
    let ends = match org.deleted_at {
        None => Some(what_ends(engine, &operator.permit(&org.org)).await?),
        Some(_) => None,
    };
    let before = request.parameter("before").parse().ok();
    let query = AuditQuery {
        before,
        limit: LOG_SIZE,
        ..AuditQuery::default()
    };
    let permit: Permit<to::SeeAuditLog> = operator.permit(&org.org);
    let entries = audit::list(engine, &permit, &query).await?;
    let projects = match entries.entries.iter().any(is_about_project) {
        true => projects(&request, &operator.permit(&org.org)).await?,
        false => HashMap::new(),
    };
    Ok(OneOrg {
        org,
        ends,
        entries,
        projects,
        before,
    })
}

async fn projects(
    request: &PageRequest,
    permit: &Permit<to::SeeKeyDetails>,
) -> Result<HashMap<String, String>, AppError> {
    let choices = project::choices(request.engine(), permit).await?;
    let names = choices
        .into_iter()
        .map(|choice| (choice.id.to_string(), choice.name.to_string()));
    Ok(names.collect())
}

#[component]
pub fn InstanceOrgPage() -> impl IntoView {
    page(load, |request, org| {
        let path = request.path().to_owned();
        view! { <OrgView path org/> }
    })
}

#[component]
fn OrgView(path: String, org: OneOrg) -> impl IntoView {
    let OneOrg {
        org,
        ends,
        entries,
        projects,
        before,
    } = org;
    let name = org.org.name.to_string();
    let status = match org.deleted_at {
        Some(at) => view! { "Deleted "<Time text=TimeText::full(at)/> }.into_any(),
        None => "Active".into_any(),
    };
    let slug = org.org.slug.to_string();
    let delete = ends.map(|ends| {
        let (_, errors) = fields_and_errors(DeleteForm::default);
        let errors = Errors::new(errors);
        let (path, name) = (path.clone(), name.clone());
        view! {
            <section class="card" aria-labelledby="delete">
                <header><h2 id="delete">"Delete this organization"</h2></header>
                <div class="body"><DeleteFormFields path cancel="/instance/organizations".to_owned() name ends errors/></div>
            </section>
        }
    });
    view! {
        <Breadcrumbs above=vec![("/instance".to_owned(), "Instance".to_owned()), ("/instance/organizations".to_owned(), "Organizations".to_owned())] here=name.clone()/>
        <PageHead title=name/>
        <div class="stack">
            <section class="card" aria-labelledby="details">
                <header><h2 id="details">"Details"</h2></header>
                <dl class="facts body">
                    <dt>"ID"</dt><dd class="id"><code>{org.org.id.to_string()}</code></dd>
                    <dt>"URL name"</dt><dd><code>{slug.clone()}</code></dd>
                    <dt>"Status"</dt><dd>{status}</dd>
                    <dt>"Created"</dt><dd><Time text=TimeText::full(org.created_at)/></dd>
                    <dt>"Keys not revoked"</dt><dd>{grouped(org.keys)}</dd>
                    <dt>"Members"</dt><dd>{grouped(org.members)}</dd>
                </dl>
            </section>
            <LogTable title="Audit log" path slug projects entries before/>
            {delete}
        </div>
    }
}
