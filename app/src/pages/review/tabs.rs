//! The three pages of the review.

use leptos::prelude::*;

use crate::text::number::grouped;

/// Which page is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Findings,
    Asked,
    Reviews,
}

#[component]
pub fn Tabs(
    /// The organization's slug.
    org: String,
    tab: Tab,
    /// How much is asked of the owners.
    asked: i64,
    /// Whether the user is one of them.
    is_owner: bool,
) -> impl IntoView {
    let title = match is_owner {
        true => "Asked of you",
        false => "Asked of owners",
    };
    let link = |of: Tab, path: &str, title: &'static str| {
        let current = (of == tab).then_some("page");
        let count = (of == Tab::Asked && asked > 0)
            .then(|| view! { " "<span class="tag plain accent">{grouped(asked)}</span> });
        view! { <a href=format!("/orgs/{org}/review{path}") aria-current=current>{title}{count}</a> }
    };
    let links = [
        link(Tab::Findings, "", "Findings").into_any(),
        link(Tab::Asked, "/asked", title).into_any(),
        link(Tab::Reviews, "/history", "History").into_any(),
    ];
    view! { <nav class="bar review-tabs" aria-label="Review"><div class="seg">{links.into_iter().collect_view()}</div></nav> }
}
