//! What the lists of organizations and people share: the search and the position, which are in the URL.

use latchkey::search::Search;
use leptos::prelude::*;

use crate::{request::PageRequest, text::query::query_of};

/// The number of rows on a page.
pub const PAGE_SIZE: u16 = 50;

/// Which part of a list the URL requests.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub path: String,
    /// The search as entered.
    pub text: String,
    /// `None` if the text is too long.
    pub search: Option<Search>,
    /// The ID before which the page starts; empty for the newest.
    pub before: String,
}

impl Place {
    pub fn of(request: &PageRequest) -> Self {
        let text = request.parameter("q");
        Self {
            path: request.path().to_owned(),
            search: text.parse().ok(),
            text,
            before: request.parameter("before"),
        }
    }

    fn at(&self, before: &str) -> String {
        let query = query_of(&[("q", &self.text), ("before", before)]);
        format!("{}{query}", self.path)
    }
}

#[component]
pub fn SearchBar(
    place: Place,
    /// What is listed: "people".
    what: &'static str,
    /// What the search looks at.
    hint: &'static str,
) -> impl IntoView {
    let clear = (!place.text.is_empty())
        .then(|| view! { <a class="btn quiet" href=place.path.clone()>"Clear"</a> });
    let problem = place.search.is_none().then(
        || view! { <p class="error">"A search has at most "{Search::MAX_CHARACTERS}" characters."</p> },
    );
    view! {
        <form class="bar" role="search" aria-label=format!("Search {what}") method="get" action=place.path>
            <input class="input search" type="search" name="q" value=place.text placeholder=hint aria-label=hint maxlength="200" autocomplete="off"/>
            <button class="btn">"Search"</button>
            {clear}
            {problem}
        </form>
    }
}

/// The cursor only moves to older rows, so the way back is a link to the newest.
#[component]
pub fn Pager(place: Place, what: &'static str, next: Option<String>) -> impl IntoView {
    let newest = (!place.before.is_empty())
        .then(|| view! { <a class="btn" rel="first" href=place.at("")>"Newest"</a> });
    let older = next.map(|id| view! { <a class="btn" rel="next" href=place.at(&id)>"Older"</a> });
    (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label=format!("Pages of {what}")><span>"Newest first."</span>{newest}{older}</nav> }
    })
}
