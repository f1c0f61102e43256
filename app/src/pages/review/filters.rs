//! The filters above the findings.

use latchkey::{
    findings::{Code, Severity},
    key::Kind,
};
use leptos::prelude::*;

use super::address::{Address, SHOWN};
use crate::{
    form::filters::{Choice, Input},
    text::words::severity_title,
};

#[component]
pub fn Filters(
    address: Address,
    /// ID and name of each project.
    projects: Vec<(String, String)>,
    /// Value and title of each kind of key.
    kinds: Vec<(String, String)>,
) -> impl IntoView {
    let project = address
        .project
        .map_or_else(String::new, |id| id.to_string());
    let kind = address.kind.map_or("", Kind::as_str).to_owned();
    let states = SHOWN
        .iter()
        .map(|(_, word, title)| ((*word).to_owned(), (*title).to_owned()));
    let clear = (address.href() != address.path())
        .then(|| view! { <a class="btn quiet" href=address.path()>"Clear"</a> });
    view! {
        <form class="bar filters" role="search" aria-label="Findings" method="get" action=address.path()>
            <Input name="q" label="Search" kind="search" value=address.search.clone() problem=None/>
            <Choice name="state" label="State" options=states.collect() chosen=address.state_word().to_owned() problem=None/>
            <Choice name="finding" label="Finding" options=findings() chosen=address.finding_word().to_owned() problem=None/>
            <Choice name="project" label="Project" options=with_all("All projects", projects) chosen=project problem=None/>
            {(kinds.len() > 1).then(|| view! { <Choice name="kind" label="Type" options=with_all("All types", kinds) chosen=kind problem=None/> })}
            <Input name="since" label="Count reviews since" kind="date" value=address.since.clone() problem=None/>
            <div class="actions"><button class="btn">"Filter"</button>{clear}</div>
        </form>
    }
}

/// The options of a filter, after one that lets all keys through.
pub fn with_all(all: &str, options: Vec<(String, String)>) -> Vec<(String, String)> {
    let all = (String::new(), all.to_owned());
    std::iter::once(all).chain(options).collect()
}

fn findings() -> Vec<(String, String)> {
    let severities = Severity::ALL.iter().map(|severity| {
        let text = format!("{} severity", severity_title(*severity));
        (severity.as_str().to_owned(), text)
    });
    let codes = Code::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), code.title().to_owned()));
    with_all("All findings", severities.chain(codes).collect())
}
