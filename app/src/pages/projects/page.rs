//! `/orgs/{org}/projects`: groups of keys and agents.

use leptos::prelude::*;

use super::{
    data::{ProjectList, ProjectRow, list},
    form::ProjectForm,
};
use crate::{
    form::{
        errors::{Errors, FormError},
        field::Field,
    },
    icons::{Icon, Symbol},
    pages::{confirm::Question, forms::fields_and_errors, frame::PageHead, page::page},
    text::number::grouped,
};

/// The page. Which project is about to be renamed or deleted, or whether one is created, is part of the URL.
#[component]
pub fn ProjectsPage() -> impl IntoView {
    page(list, |request, list| {
        let path = format!("/orgs/{}/projects", request.org());
        let asked = Asked {
            renamed: request.parameter("rename"),
            deleted: request.parameter("delete"),
            creates: !request.parameter("new").is_empty(),
        };
        view! { <ProjectsView path list asked/> }
    })
}

/// What the URL asks for.
struct Asked {
    /// The ID of the project to rename; empty for none.
    renamed: String,
    /// The ID of the project to delete; empty for none.
    deleted: String,
    /// Whether the form of a new project is open.
    creates: bool,
}

#[component]
fn ProjectsView(path: String, list: ProjectList, asked: Asked) -> impl IntoView {
    let ProjectList {
        rows,
        may_edit,
        creation_token,
    } = list;
    let (typed, errors) = fields_and_errors(|| ProjectForm {
        creation_token,
        ..ProjectForm::default()
    });
    let errors = Errors::new(errors);
    let (renamed, deleted) = match typed.change.as_str() {
        "rename" => (&typed.project, ""),
        "delete" => (&asked.renamed, typed.project.as_str()),
        _ => (&asked.renamed, asked.deleted.as_str()),
    };
    let editable = |id: &str| {
        let found = rows.iter().find(|row| row.id == id);
        found.filter(|row| may_edit && !row.is_default).cloned()
    };
    let creates = may_edit && (asked.creates || typed.change == "create");
    let form = match (editable(renamed), editable(deleted)) {
        (Some(mut row), _) => {
            let value = if typed.name.is_empty() {
                row.name.clone()
            } else {
                typed.name
            };
            if typed.change == "rename" {
                row.base = typed.base;
            }
            view! { <RenameCard path=path.clone() row value errors/> }.into_any()
        }
        (None, Some(row)) => view! { <DeleteCard path=path.clone() row errors/> }.into_any(),
        (None, None) if creates => view! { <NewCard path=path.clone() typed errors/> }.into_any(),
        (None, None) => ().into_any(),
    };
    let new = (may_edit && !creates).then(|| {
        let new = format!("{path}?new=1");
        view! { <a class="btn primary" href=new><Icon symbol=Symbol::Plus/>"Create project"</a> }
    });
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row path=path.clone() row may_edit/> })
        .collect_view();
    view! {
        <PageHead title="Projects" lead="Every key and agent belongs to a project.".into_any()>{new}</PageHead>
        <div class="stack">
            {form}
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
        </div>
    }
}

#[component]
fn Row(path: String, row: ProjectRow, may_edit: bool) -> impl IntoView {
    let is_empty = row.keys == 0 && row.agents == 0;
    let rename = format!("{path}?rename={}", row.id);
    let of_project = path.replace("/projects", &format!("/keys?project={}", row.id));
    let actions = may_edit.then(|| {
        let change = (!row.is_default).then(|| {
            let name = row.name.clone();
            let delete = is_empty.then(|| view! {
                <a class="btn quiet" href=format!("{path}?delete={}", row.id)>"Delete"<span class="visually-hidden">" "{name.clone()}</span></a>
            });
            view! {
                <a class="btn quiet" href=rename>"Rename"<span class="visually-hidden">" "{name.clone()}</span></a>
                {delete}
            }
        });
        view! { <td class="end"><div class="row">{change}</div></td> }
    });
    let keys = match row.keys {
        0 => "0".into_any(),
        count => {
            let name = row.name.clone();
            view! { <a class="link" href=of_project>{grouped(count)}<span class="visually-hidden">" keys of "{name}</span></a> }.into_any()
        }
    };
    view! {
        <tr>
            <th scope="row"><span class="name">{row.name.clone()}</span></th>
            <td class="num" data-label="Keys">{keys}</td>
            <td class="num" data-label="Agents">{row.agents}</td>
            {actions}
        </tr>
    }
}

#[component]
fn NewCard(path: String, typed: ProjectForm, errors: Errors) -> impl IntoView {
    // Reloading the page after a rejected form shows the form again.
    let action = format!("{path}?new=1");
    view! {
        <section class="card" aria-labelledby="new">
            <header><h2 id="new">"Create project"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=action class="form">
                    <FormError errors consequence="The project was not created."/>
                    <input type="hidden" name="change" value="create"/>
                    <input type="hidden" name="creation_token" value=typed.creation_token/>
                    <Field name="name" label="Name" autocomplete="off" maxlength=80 value=typed.name focused=true errors/>
                    <div class="actions"><button class="btn primary">"Create project"</button><a class="btn" href=path>"Cancel"</a></div>
                </form>
            </div>
        </section>
    }
}

#[component]
fn RenameCard(path: String, row: ProjectRow, value: String, errors: Errors) -> impl IntoView {
    let action = path.clone();
    view! {
        <section class="card" aria-labelledby="rename">
            <header><h2 id="rename">"Rename “"{row.name}"”"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=action class="form">
                    <FormError errors/>
                    <input type="hidden" name="change" value="rename"/>
                    <input type="hidden" name="project" value=row.id/>
                    <input type="hidden" name="base" value=row.base/>
                    <Field name="name" label="New name" autocomplete="off" maxlength=80 value=value focused=true errors/>
                    <div class="actions"><button class="btn primary">"Rename"</button><a class="btn" href=path>"Cancel"</a></div>
                </form>
            </div>
        </section>
    }
}

#[component]
fn DeleteCard(path: String, row: ProjectRow, errors: Errors) -> impl IntoView {
    let action = path.clone();
    let title = format!("Delete “{}”?", row.name);
    view! {
        <Question title action cancel=path button="Delete project">
            <FormError errors consequence="The project was not deleted."/>
            <p>"Revoked keys of this project move to “Default”. This cannot be undone."</p>
            <input type="hidden" name="change" value="delete"/>
            <input type="hidden" name="project" value=row.id/>
        </Question>
    }
}
