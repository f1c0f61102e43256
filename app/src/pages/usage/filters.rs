//! The filters of the usage page: a form that works without a script, folded on phones.

use latchkey::{
    outcome::Outcome,
    time::parse_day,
    usage::question::{Dimension, InvalidParameter, StepLength},
};
use leptos::prelude::*;

use super::{
    address::{Address, LAST},
    data::Choices,
    words::{dimension_name, group_name},
};
use crate::form::filters::{Choice, Input};

/// The form, and the filters that are set.
#[component]
pub fn Filters(
    address: Address,
    choices: Choices,
    /// What is wrong with the question.
    invalid: Vec<InvalidParameter>,
) -> impl IntoView {
    let problem = move |name: &str| {
        let found = invalid.iter().find(|invalid| invalid.parameter == name);
        found.map(problem_sentence)
    };
    // A date has its own field; a time is shown as it is in the URL.
    let is_time = |value: &str| !value.is_empty() && parse_day(value).is_none();
    let (from, to) = (
        address.value("from").to_owned(),
        address.value("to").to_owned(),
    );
    let first = match is_time(&from) {
        true => {
            view! { <Input name="from" label="From" kind="text" value=from problem=problem("from")/> }
        }
        false => {
            view! { <Input name="from" label="First day" kind="date" value=from problem=problem("from")/> }
        }
    };
    let last = match is_time(&to) {
        true => {
            view! { <Input name="to" label="Before" kind="text" value=to problem=problem("to")/> }
        }
        false => {
            let value = address.last_day().unwrap_or_default();
            view! { <Input name=LAST label="Last day" kind="date" value problem=problem("to")/> }
        }
    };
    let steps = StepLength::ALL.iter().map(|step| {
        let title = match step {
            StepLength::Minute => "Minutes",
            StepLength::Hour => "Hours",
            StepLength::Day => "Days",
            StepLength::Month => "Months",
        };
        (step.as_str().to_owned(), title.to_owned())
    });
    let dimensions = offered(&choices);
    let group_by = dimensions
        .iter()
        .map(|by| (by.as_str().to_owned(), dimension_name(*by).to_owned()));
    let undivided = match choices.with_details {
        true => "Key and agent",
        false => "Nothing",
    };
    let filters = dimensions
        .iter()
        .map(|by| filter(*by, &address, &choices, problem(by.as_str())))
        .collect_view();
    // What the form has no field for.
    let kept: Vec<(String, String)> = address
        .pairs
        .iter()
        .filter(|(name, _)| {
            let is_one_of_several = address.values(name).count() > 1;
            is_one_of_several || matches!(name.as_str(), "range" | "tz")
        })
        .cloned()
        .collect();
    let kept = kept
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let is_set = address.filters() > 0 || !address.value("from").is_empty();
    let clear = is_set.then(|| {
        view! { <a id="clear" class="btn quiet" href=address.path.clone()>"Clear"</a> }
    });
    view! {
        <form class="bar filters" role="search" aria-label="Usage" method="get" action=address.path.clone()>
            <details class="unfold" id="unfold" open=is_set><summary class="btn">"Filters"</summary></details>
            <div class="unfolded">
                {first}
                {last}
                <Choice name="step" label="Steps" options=with_any("Automatic", steps) chosen=address.value("step").to_owned() problem=problem("step")/>
                {filters}
                <Choice name="group_by" label="Group by" options=with_any(undivided, group_by) chosen=address.value("group_by").to_owned() problem=problem("group_by")/>
                <div class="actions"><button class="btn" id="apply">"Apply"</button>{clear}</div>
            </div>
            {kept}
        </form>
        <Several address choices/>
    }
}

/// What is wrong with a parameter, as a sentence that begins with its label.
pub fn problem_sentence(invalid: &InvalidParameter) -> String {
    let by = Dimension::ALL
        .iter()
        .find(|by| by.as_str() == invalid.parameter);
    let label = match (by, invalid.parameter) {
        (Some(by), _) => dimension_name(*by),
        (None, "range") => "The range",
        (None, "from") => "The first day",
        (None, "to") => "The last day",
        (None, "step") => "The steps",
        (None, "tz") => "The time zone",
        (None, _) => "The division",
    };
    // The API speaks of parameters, of which `to` is not included.
    let problem = [
        (
            "must be later than `from`",
            "must not be before the first day",
        ),
        ("needs `from`, too", "needs a first day, too"),
        ("gives more than", "would be more than"),
        (" steps. Choose a longer `step`", ". Choose longer steps"),
        ("`from`", "the first day"),
        ("`minute`", "minutes"),
        ("`hour`", "hours"),
    ];
    let problem = problem
        .iter()
        .fold(invalid.problem.to_string(), |text, (word, words)| {
            text.replace(word, words)
        });
    let problem = problem.replace('`', "");
    let end = if problem.ends_with('.') { "" } else { "." };
    format!("{label} {problem}{end}")
}

fn with_any(any: &str, options: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    std::iter::once((String::new(), any.to_owned()))
        .chain(options)
        .collect()
}

/// What the user can filter by and divide by.
fn offered(choices: &Choices) -> Vec<Dimension> {
    let is_offered = |by: &Dimension| match by {
        Dimension::Key | Dimension::Agent | Dimension::Project => choices.with_details,
        Dimension::Class => choices.classes.len() > 1,
        Dimension::Environment | Dimension::Kind | Dimension::Outcome => true,
    };
    Dimension::ALL.iter().copied().filter(is_offered).collect()
}

/// The field of a filter. One with several values has none: they are listed below the form.
fn filter(
    by: Dimension,
    address: &Address,
    choices: &Choices,
    problem: Option<String>,
) -> Option<AnyView> {
    let (name, label) = (by.as_str(), dimension_name(by));
    if address.values(name).count() > 1 {
        return None;
    }
    let value = address.value(name).to_owned();
    let words = |words: &[&str]| -> Vec<(String, String)> {
        let titled = words.iter().map(|word| {
            (
                (*word).to_owned(),
                group_name(&choices.kind_names, by, word, word),
            )
        });
        titled.collect()
    };
    let options = match by {
        Dimension::Key | Dimension::Agent => {
            let label = if by == Dimension::Key {
                "Key ID"
            } else {
                "Agent (public ID)"
            };
            return Some(view! { <Input name label kind="text" value problem/> }.into_any());
        }
        Dimension::Project => choices.projects.clone(),
        Dimension::Environment => words(&["live", "test"]),
        Dimension::Kind => {
            let kinds = choices.kinds.iter().map(|kind| kind.as_str());
            words(&kinds.chain(["agent"]).collect::<Vec<_>>())
        }
        Dimension::Class => {
            let classes: Vec<&str> = choices.classes.iter().map(String::as_str).collect();
            words(&classes)
        }
        Dimension::Outcome => words(
            &Outcome::ALL
                .iter()
                .map(|outcome| outcome.code())
                .collect::<Vec<_>>(),
        ),
    };
    let options = with_any("Any", options.into_iter());
    Some(view! { <Choice name label options chosen=value problem/> }.into_any())
}

/// Filters with several values, each with a link that drops it. The outcomes are switched in the legend of the chart.
#[component]
fn Several(address: Address, choices: Choices) -> impl IntoView {
    let links: Vec<_> = Dimension::ALL
        .iter()
        .filter(|by| **by != Dimension::Outcome && address.values(by.as_str()).count() > 1)
        .flat_map(|by| {
            let name = by.as_str();
            address.values(name).map(|value| {
                let mut projects = choices.projects.iter();
                let shown = projects.find(|(id, _)| id == value).map_or_else(
                    || group_name(&choices.kind_names, *by, value, value),
                    |(_, name)| name.clone(),
                );
                let href = address.without_value(name, value).href();
                let label = format!("{}: {shown}", dimension_name(*by));
                view! { <a class="btn small" href=href title="Drop this filter">{label}" ×"</a>" " }
            })
        })
        .collect();
    (!links.is_empty()).then(|| view! { <p class="narrowed">{links}</p> })
}
