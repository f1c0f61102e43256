//! The filters above a list, each with its label and what is wrong with it.

use leptos::prelude::*;

use crate::icons::{Icon, Symbol};

/// A filter with a few values.
#[component]
pub fn Choice(
    name: &'static str,
    label: &'static str,
    /// Value and label of each option.
    options: Vec<(String, String)>,
    chosen: String,
    /// What is wrong with it.
    problem: Option<String>,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(value, text)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{text}</option> }
        })
        .collect_view();
    let error_id = format!("{name}-error");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="input" id=name name=name aria-invalid=problem.as_ref().map(|_| "true") aria-describedby=problem.as_ref().map(|_| error_id)>{options}</select>
            <Problem name problem/>
        </div>
    }
}

/// A filter that is typed.
#[component]
pub fn Input(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    problem: Option<String>,
    /// What the browser offers while the user types.
    #[prop(optional)]
    offered: Vec<String>,
) -> impl IntoView {
    let error_id = format!("{name}-error");
    let list_id = (!offered.is_empty()).then(|| format!("{name}-offered"));
    let list = list_id.clone().map(|id| {
        let options = offered
            .into_iter()
            .map(|value| view! { <option value=value></option> })
            .collect_view();
        view! { <datalist id=id>{options}</datalist> }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                class="input" id=name name=name type=kind value=value autocomplete="off" maxlength="200" list=list_id
                aria-invalid=problem.as_ref().map(|_| "true") aria-describedby=problem.as_ref().map(|_| error_id)
            />
            {list}
            <Problem name problem/>
        </div>
    }
}

#[component]
fn Problem(name: &'static str, problem: Option<String>) -> impl IntoView {
    problem.map(|sentence| {
        view! { <p class="error" id=format!("{name}-error")><Icon symbol=Symbol::Alert/>{sentence}</p> }
    })
}
