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
    pages::{forms::fields_and_errors, frame::PageHead, page::page},
};

/// The page. The query parameter `rename` opens the form that renames a project.
#[component]
pub fn ProjectsPage() -> impl IntoView {
    page(list, |request, list| {
        let path = format!("/orgs/{}/projects", request.org());
        view! { <ProjectsView path list renamed=request.parameter("rename")/> }
    })
}

#[component]
fn ProjectsView(
    path: String,
    list: ProjectList,
    /// The ID of the project to rename; empty for none.
    renamed: String,
) -> impl IntoView {
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
    let renamed = if typed.change == "rename" {
        &typed.project
    } else {
        &renamed
    };
    let renaming = rows
        .iter()
        .find(|row| row.id == *renamed && may_edit && !row.is_default)
        .cloned();
    let form = match renaming {
        Some(mut row) => {
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
        None if may_edit => view! { <NewCard path=path.clone() typed errors/> }.into_any(),
        None => ().into_any(),
    };
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row path=path.clone() row may_edit/> })
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
fn Row(path: String, row: ProjectRow, may_edit: bool) -> impl IntoView {
    let is_empty = row.keys == 0 && row.agents == 0;
    let rename = format!("{path}?rename={}", row.id);
    let actions = may_edit.then(|| {
        let change = (!row.is_default).then(|| {
            let name = row.name.clone();
            let delete = is_empty.then(|| view! {
                <form method="post" action=path>
                    <input type="hidden" name="project" value=row.id.clone()/>
                    <button class="btn quiet" name="change" value="delete">"Delete"<span class="visually-hidden">" "{name.clone()}</span></button>
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
fn NewCard(path: String, typed: ProjectForm, errors: Errors) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="new">
            <header><h2 id="new">"New project"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=path class="form">
                    <FormError errors consequence="The project was not created."/>
                    <input type="hidden" name="change" value="create"/>
                    <input type="hidden" name="creation_token" value=typed.creation_token/>
                    <Field name="name" label="Name" autocomplete="off" maxlength=80 value=typed.name errors/>
                    <div class="actions"><button class="btn primary">"Create project"</button></div>
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
                    <Field name="name" label="New name" autocomplete="off" maxlength=80 value=value errors/>
                    <div class="actions"><button class="btn primary">"Rename"</button><a class="btn" href=path>"Cancel"</a></div>
                </form>
            </div>
        </section>
    }
}
