//! The filters of the usage page: a form that works without a script, folded on phones.

use latchkey::{
    outcome::Outcome,
    usage::question::{Dimension, InvalidParameter, StepLength},
};
use leptos::prelude::*;

use super::{
    address::{Address, LAST},
    choices::Choices,
    edges::Edges,
    words::{dimension_name, group_name},
};
use crate::form::filters::{Choice, Input};

/// The form, and the filters that are set.
#[component]
pub fn Filters(
    address: Address,
    edges: Edges,
    choices: Choices,
    /// The names of the busiest keys.
    keys: Vec<String>,
    /// What is wrong with the question.
    invalid: Vec<InvalidParameter>,
) -> impl IntoView {
    let names = edges.names();
    let problem = move |name: &str| {
        let found = invalid.iter().find(|invalid| invalid.parameter == name);
        found.map(|invalid| problem_sentence(invalid, names))
    };
    let (from, to) = (problem("from"), problem("to"));
    let times = match edges {
        Edges::Days { first, last } => view! {
            <Input name="from" label="First day" kind="date" value=first problem=from/>
            <Input name=LAST label="Last day" kind="date" value=last problem=to/>
        }
        .into_any(),
        Edges::Times { start, end } => view! {
            <Input name="from" label="Start" kind="datetime-local" value=start problem=from/>
            <Input name="to" label="End" kind="datetime-local" value=end problem=to/>
        }
        .into_any(),
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
        .map(|by| filter(*by, &address, &choices, problem(by.as_str()), keys.clone()))
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
                {times}
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

/// What is wrong with a parameter, as a sentence that begins with its label. `names` are those of the start and the end.
pub fn problem_sentence(
    invalid: &InvalidParameter,
    (start, end): (&'static str, &'static str),
) -> String {
    let by = Dimension::ALL
        .iter()
        .find(|by| by.as_str() == invalid.parameter);
    let label = match (by, invalid.parameter) {
        (Some(by), _) => dimension_name(*by).to_owned(),
        (None, "range") => "The range".to_owned(),
        (None, "from") => format!("The {start}"),
        (None, "to") => format!("The {end}"),
        (None, "step") => "The steps".to_owned(),
        (None, "tz") => "The time zone".to_owned(),
        (None, _) => "The division".to_owned(),
    };
    // The API speaks of parameters, of which `to` is not included.
    let (after, needs, the) = (
        match end {
            "last day" => format!("must not be before the {start}"),
            _ => format!("must be later than the {start}"),
        },
        format!("needs a {start}, too"),
        format!("the {start}"),
    );
    let problem = [
        ("must be later than `from`", after.as_str()),
        ("needs `from`, too", &needs),
        ("gives more than", "would be more than"),
        (" steps. Choose a longer `step`", ". Choose longer steps"),
        ("`from`", &the),
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
    // The names of some keys.
    keys: Vec<String>,
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
            let (label, offered) = match by {
                Dimension::Key => ("Key (name or ID)", keys),
                _ => ("Agent (public ID)", Vec::new()),
            };
            return Some(
                view! { <Input name label kind="text" value problem offered/> }.into_any(),
            );
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
