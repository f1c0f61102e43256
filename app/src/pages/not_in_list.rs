//! What the address of a list names that is not there. The list is shown without it, and a notice says so.

use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    text::query::value_of,
};

/// The parameters of the query that are not known, in words. Each has its name, whether its value is known, and its word.
pub fn unknown(query: &str, parameters: &[(&str, bool, &'static str)]) -> Vec<&'static str> {
    let mut unknown = Vec::new();
    for (name, is_known, what) in parameters {
        if !value_of(query, name).trim().is_empty() && !is_known && !unknown.contains(what) {
            unknown.push(*what);
        }
    }
    unknown
}

/// "The project in this address was not found. The list is shown without it."
#[component]
pub fn NotFoundInAddress(unknown: Vec<&'static str>) -> impl IntoView {
    sentence(&unknown).map(|text| {
        view! { <div class="notice warn"><Icon symbol=Symbol::Alert/><p>{text}</p></div> }
    })
}

fn sentence(unknown: &[&str]) -> Option<String> {
    let (last, first) = unknown.split_last()?;
    Some(match first {
        [] => format!("The {last} in this address was not found. The list is shown without it."),
        _ => format!(
            "The {} and the {last} in this address were not found. The list is shown without them.",
            first.join(", the ")
        ),
    })
}
