//! The bar above the list of keys: search and filters.

use latchkey::{
    findings::{Code, Severity},
    key::{Kind, secret_text::SecretPrefixes},
};
use leptos::prelude::*;

use super::{address::Address, choices::StatusChoice, data::Choices};
use crate::{
    islands::search_box::SearchBox,
    text::words::{environment_title, severity_title},
};

#[component]
pub fn Filters(
    /// The current filters.
    address: Address,
    /// What there is to choose from.
    choices: Choices,
    /// By which secrets are recognized.
    secrets: SecretPrefixes,
) -> impl IntoView {
    let with_details = choices.details.is_some();
    let environments = std::iter::once(None)
        .chain(choices.environments.iter().copied().map(Some))
        .map(|environment| {
            let current = (environment == address.environment).then_some("true");
            let text = environment.map_or("All", environment_title);
            view! { <a href=address.with_environment(environment) aria-current=current>{text}</a> }
        })
        .collect_view();
    let environments = (!choices.environments.is_empty()).then(
        || view! { <div class="seg" role="group" aria-label="Environment">{environments}</div> },
    );
    let states = StatusChoice::ALL
        .into_iter()
        .filter(|(status, ..)| match status {
            StatusChoice::Attention => with_details,
            StatusChoice::Ended => address.status == StatusChoice::Ended,
            _ => true,
        })
        .map(|(status, _, text)| {
            let current = (status == address.status).then_some("true");
            view! { <a href=address.with_status(status) aria-current=current>{text}</a> }
        })
        .collect_view();
    // The form keeps the other filters and the sort order.
    let kept = address
        .kept_by_the_form()
        .map(|(name, word)| view! { <input type="hidden" name=name value=word/> })
        .collect_view();
    let narrowed = address.narrowed_to().map(|(title, value, all)| {
        view! { <p class="narrowed small"><span class="muted">{title}": "</span><code>{value.to_owned()}</code>" "<a class="link" href=all>"Show all"</a></p> }
    });
    let count = match address.filters() {
        0 => None,
        count => Some(view! { <span class="muted">{format!(" ({count})")}</span> }),
    };
    let kinds = choices.kinds.into_iter();
    let kinds = kinds.map(|(kind, title)| (kind.as_str().to_owned(), title));
    let kind = address.kind.map_or("", Kind::as_str);
    let details = choices.details.map(|details| {
        let project = address.project.map_or_else(String::new, |id| id.to_string());
        let creator = address.creator.map_or_else(String::new, |id| id.to_string());
        let finding = address.finding.map_or("", |finding| finding.word());
        view! {
            <Choice name="project" label="Project" all="All projects" options=details.projects chosen=project/>
            <Choice name="creator" label="Creator" all="All creators" options=details.creators chosen=creator/>
            <Choice name="finding" label="Finding" all="All findings" options=findings() chosen=finding.to_owned()/>
        }
    });
    view! {
        <form class="bar" role="search" method="get" action=address.path()>
            <SearchBox value=address.search.clone() hint=searched(with_details).to_owned() find=format!("{}/find", address.path()) secrets/>
            {kept}
            // The stylesheet shows the filters with many values only while this is open, and on phones the others, too.
            <details class="unfold" open=address.chooses()><summary class="btn">"Filters"{count}</summary></details>
            <div class="unfolded">
                {environments}
                <div class="seg" role="group" aria-label="Status">{states}</div>
                <Choice name="kind" label="Type" all="All types" options=kinds.collect() chosen=kind.to_owned()/>
                {details}
                <button class="btn">"Filter"</button>
            </div>
        </form>
        {narrowed}
    }
}

/// What the search looks at, for those who can see details and for those who cannot.
pub const fn searched(with_details: bool) -> &'static str {
    if with_details {
        "Name, ID, prefix, last four characters, domain or notes"
    } else {
        "Name or ID"
    }
}

fn findings() -> Vec<(String, String)> {
    let severities = Severity::ALL.iter().map(|severity| {
        let text = format!("{} severity", severity_title(*severity));
        (severity.as_str().to_owned(), text)
    });
    let codes = Code::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), code.title().to_owned()));
    severities.chain(codes).collect()
}

#[component]
fn Choice(
    name: &'static str,
    label: &'static str,
    /// The text of the option that lets all keys through.
    all: &'static str,
    /// Value and text of each option.
    options: Vec<(String, String)>,
    chosen: String,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(value, text)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{text}</option> }
        })
        .collect_view();
    view! { <select class="input narrow" name=name aria-label=label><option value="">{all}</option>{options}</select> }
}
