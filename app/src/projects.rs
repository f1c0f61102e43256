//! `/orgs/{org}/projects`: groups of keys and agents.

mod change;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_location, use_params_map};
use serde::{Deserialize, Serialize};

use self::change::{CreateProject, DeleteProject, RenameProject};
use crate::{
    error::AppError,
    form::{Field, FormError, refusal_of},
    layout::PageHead,
    not_found::ErrorView,
    query::value_of,
};

/// An org's projects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectList {
    /// `Default` first, then by name.
    pub rows: Vec<ProjectRow>,
    /// Whether the viewer may change them.
    pub may_edit: bool,
    /// The name that was typed, where the form comes back because of it.
    pub typed: String,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many keys belong to it.
    pub keys: i64,
    /// How many agents belong to it.
    pub agents: i64,
    /// Whether it is the org's first, which stays as it is.
    pub is_default: bool,
}

/// The org's projects, for owners and admins. `refused` says that a form comes back because of what was entered.
#[server(prefix = "/api", endpoint = "projects/list")]
pub async fn list_projects(org: String, refused: bool) -> Result<ProjectList, AppError> {
    crate::error::answer(on_the_server::list(&org, refused).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        access::{Permit, to},
        projects,
        role::Action,
    };

    use super::{ProjectList, ProjectRow};
    use crate::{error::AppError, session, typed::Typed};

    pub async fn list(org: &str, refused: bool) -> Result<ProjectList, AppError> {
        let membership = session::membership(org).await?;
        let permit: Permit<to::SeeKeyDetails> = membership.permit()?;
        let rows = projects::list(&*session::engine()?, &permit)
            .await?
            .into_iter()
            .enumerate()
            .map(|(place, project)| ProjectRow {
                id: project.id.to_string(),
                name: project.name.to_string(),
                keys: project.keys,
                agents: project.agents,
                is_default: place == 0,
            })
            .collect();
        Ok(ProjectList {
            rows,
            may_edit: membership.role().may(Action::EditProjects),
            typed: if refused {
                Typed::received().of("name")
            } else {
                String::new()
            },
        })
    }
}

/// The page.
#[component]
pub fn ProjectsPage() -> impl IntoView {
    let params = use_params_map();
    let org = Memo::new(move |_| params.with(|params| params.get("org").unwrap_or_default()));
    // Asked in the address: the form for it stands in the page.
    let search = use_location().search;
    let refused = refusal().is_some();
    let projects = Resource::new(move || org.get(), move |org| list_projects(org, refused));
    view! {
        <Transition>
            {move || {
                let renamed = search.with(|search| value_of(search, "rename"));
                Suspend::new(async move {
                    match projects.await {
                        Ok(list) => view! { <ProjectsView org=org.get_untracked() list renamed/> }.into_any(),
                        Err(error) => view! { <ErrorView error/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

/// Why one of the page's forms was refused.
fn refusal() -> Option<AppError> {
    refusal_of::<CreateProject>()
        .or_else(refusal_of::<RenameProject>)
        .or_else(refusal_of::<DeleteProject>)
}

#[component]
fn ProjectsView(
    org: String,
    list: ProjectList,
    /// The id of the project that is being renamed; empty for none.
    renamed: String,
) -> impl IntoView {
    let ProjectList {
        rows,
        may_edit,
        typed,
    } = list;
    let error = refusal();
    let renaming = rows
        .iter()
        .find(|row| row.id == renamed && may_edit && !row.is_default)
        .cloned();
    let form = match renaming {
        Some(row) => {
            let value = if typed.is_empty() {
                row.name.clone()
            } else {
                typed
            };
            view! { <RenameCard org=org.clone() row value error/> }.into_any()
        }
        None if may_edit => view! { <NewCard org=org.clone() value=typed error/> }.into_any(),
        None => ().into_any(),
    };
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row org=org.clone() row may_edit/> })
        .collect_view();
    view! {
        <PageHead title="Projects" lead="Every key and agent belongs to a project.".into_any()/>
        <div class="stack">
            <div class="card">
                <table class="table wide">
                    <caption class="visually-hidden">"Projects"</caption>
                    <thead><tr>
                        <th scope="col">"Name"</th><th scope="col" class="num">"Keys"</th><th scope="col" class="num">"Agents"</th>
                        {may_edit.then(|| view! { <th scope="col"><span class="visually-hidden">"Actions"</span></th> })}
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {form}
        </div>
    }
}

#[component]
fn Row(org: String, row: ProjectRow, may_edit: bool) -> impl IntoView {
    let is_empty = row.keys == 0 && row.agents == 0;
    let rename = format!("/orgs/{org}/projects?rename={}", row.id);
    let actions = may_edit.then(|| {
        let change = (!row.is_default).then(|| {
            let name = row.name.clone();
            let delete = is_empty.then(|| view! {
                <form method="post" action=DeleteProject::PATH>
                    <input type="hidden" name="org" value=org/>
                    <input type="hidden" name="project" value=row.id.clone()/>
                    <button class="btn quiet">"Delete"<span class="visually-hidden">" "{name.clone()}</span></button>
                </form>
            });
            view! {
                <a class="btn quiet" href=rename>"Rename"<span class="visually-hidden">" "{name.clone()}</span></a>
                {delete}
            }
        });
        view! { <td class="end"><div class="row">{change}</div></td> }
    });
    view! {
        <tr>
            <th scope="row"><span class="name">{row.name.clone()}</span></th>
            <td class="num" data-label="Keys">{row.keys}</td>
            <td class="num" data-label="Agents">{row.agents}</td>
            {actions}
        </tr>
    }
}

#[component]
fn NewCard(org: String, value: String, error: Option<AppError>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="new">
            <header><h2 id="new">"New project"</h2></header>
            <div class="body">
                <form method="post" action=CreateProject::PATH class="form">
                    <FormError error=error.clone()/>
                    <input type="hidden" name="org" value=org/>
                    <Field name="name" label="Name" autocomplete="off" maxlength=80 value=value error=error/>
                    <div class="actions"><button class="btn primary">"Create project"</button></div>
                </form>
            </div>
        </section>
    }
}

#[component]
fn RenameCard(
    org: String,
    row: ProjectRow,
    value: String,
    error: Option<AppError>,
) -> impl IntoView {
    let path = format!("/orgs/{org}/projects");
    view! {
        <section class="card" aria-labelledby="rename">
            <header><h2 id="rename">"Rename “"{row.name}"”"</h2></header>
            <div class="body">
                <form method="post" action=RenameProject::PATH class="form">
                    <FormError error=error.clone()/>
                    <input type="hidden" name="org" value=org/>
                    <input type="hidden" name="project" value=row.id/>
                    <Field name="name" label="New name" autocomplete="off" maxlength=80 value=value error=error/>
                    <div class="actions"><button class="btn primary">"Rename"</button><a class="btn" href=path>"Cancel"</a></div>
                </form>
            </div>
        </section>
    }
}
