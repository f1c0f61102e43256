//! Search across an organization, in a dialog that opens with Ctrl+K or ⌘K.

use std::time::Duration;

use leptos::{ev, html, prelude::*, task::spawn_local};

use crate::{
    calls::find,
    icons::{Icon, Symbol},
    values::found::Found,
};

/// The pause in typing after which the search request is sent.
const PAUSE: Duration = Duration::from_millis(120);

/// The state of the results list.
#[derive(Clone)]
enum Results {
    /// No search was sent yet.
    Waiting,
    Found(Vec<Found>),
    /// The request failed.
    Failed,
}

/// The search button and its dialog. Without JavaScript, users search in the list of keys.
#[island]
pub fn Palette(
    /// The organization's slug.
    org: String,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let input = NodeRef::<html::Input>::new();
    let results = RwSignal::new(Results::Waiting);
    let chosen = RwSignal::new(0_usize);
    let last_asked = StoredValue::new(0_u32);
    let org = StoredValue::new(org);
    let ask = move |text: String| {
        let number = last_asked.get_value() + 1;
        last_asked.set_value(number);
        set_timeout(
            move || {
                // The user has typed more since, which sends a newer request.
                if last_asked.try_get_value() != Some(number) {
                    return;
                }
                spawn_local(async move {
                    let answer = find(org.get_value(), text).await;
                    if last_asked.try_get_value() == Some(number) {
                        chosen.set(0);
                        results.set(answer.map_or(Results::Failed, Results::Found));
                    }
                });
            },
            PAUSE,
        );
    };
    let open = move || {
        let is_open = dialog
            .get_untracked()
            .is_some_and(|dialog| dialog.open() || dialog.show_modal().is_ok());
        if let (true, Some(input)) = (is_open, input.get_untracked()) {
            input.select();
            ask(input.value());
        }
    };
    Effect::new(move |_| {
        let shortcut = window_event_listener(ev::keydown, move |event| {
            let is_shortcut = (event.ctrl_key() || event.meta_key())
                && !event.shift_key()
                && !event.alt_key()
                && event.key().eq_ignore_ascii_case("k");
            if is_shortcut {
                event.prevent_default();
                open();
            }
        });
        on_cleanup(move || shortcut.remove());
    });
    let shown = move || {
        results.with(|results| match results {
            Results::Found(found) => found.len(),
            Results::Waiting | Results::Failed => 0,
        })
    };
    let steer = move |event: ev::KeyboardEvent| {
        let (count, now) = (shown(), chosen.get_untracked());
        let to = match event.key().as_str() {
            "ArrowDown" if count > 0 => (now + 1) % count,
            "ArrowUp" if count > 0 => (now + count - 1) % count,
            "Enter" => {
                event.prevent_default();
                follow(results, now);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        chosen.set(to);
        show_option(to);
    };
    let active = move || (shown() > 0).then(|| option_id(chosen.get()));
    let status = move || {
        results.with(|results| match results {
            Results::Waiting => String::new(),
            Results::Failed => "Search is not available. Try again in a moment.".to_owned(),
            Results::Found(found) => match found.len() {
                0 => "No results.".to_owned(),
                1 => "1 result".to_owned(),
                count => format!("{count} results"),
            },
        })
    };
    let options = move || {
        results.with(|results| match results {
            Results::Found(found) => found
                .iter()
                .enumerate()
                .map(|(place, found)| option(place, found.clone(), chosen))
                .collect_view(),
            Results::Waiting | Results::Failed => Vec::new(),
        })
    };
    let is_silent = move || shown() > 0 || matches!(results.get(), Results::Waiting);
    view! {
        <button type="button" class="find needs-script" aria-label="Search" aria-haspopup="dialog" aria-keyshortcuts="Control+K Meta+K"
            on:click=move |_| open()>
            <Icon symbol=Symbol::Search/><span>"Search"</span><kbd aria-hidden="true">"Ctrl K"</kbd>
        </button>
        <dialog class="dialog palette" aria-label="Search" node_ref=dialog>
            <div class="query">
                <Icon symbol=Symbol::Search/>
                <input
                    type="text" role="combobox" aria-label="Search keys, agents, projects and pages" placeholder="Search keys, agents, projects and pages"
                    aria-expanded=move || (shown() > 0).to_string() aria-controls="found" aria-autocomplete="list"
                    aria-activedescendant=active maxlength="200" autocomplete="off" spellcheck="false" node_ref=input
                    on:input:target=move |event| ask(event.target().value()) on:keydown=steer
                />
            </div>
            <ul id="found" role="listbox" aria-label="Results">{options}</ul>
            <p class="muted small" class:visually-hidden=is_silent role="status">{status}</p>
        </dialog>
    }
}

fn option_id(place: usize) -> String {
    format!("found-{place}")
}

/// A search result. It is not a link, because the focus stays in the input.
fn option(place: usize, found: Found, chosen: RwSignal<usize>) -> impl IntoView {
    let is_chosen = move || (chosen.get() == place).to_string();
    let detail = (!found.detail.is_empty()).then(|| view! { <code>{found.detail}</code> });
    let href = found.href;
    view! {
        <li id=option_id(place) role="option" aria-selected=is_chosen
            on:pointermove=move |_| chosen.set(place) on:click=move |_| open_page(&href)>
            <span class="name">{found.name}</span>{detail}<span class="kind">{found.kind.title()}</span>
        </li>
    }
}

/// Scrolls the selected result into view.
fn show_option(place: usize) {
    if let Some(element) = document().get_element_by_id(&option_id(place)) {
        element.scroll_into_view_with_bool(false);
    }
}

/// Opens the page of a result.
fn follow(results: RwSignal<Results>, place: usize) {
    let href = results.with_untracked(|results| match results {
        Results::Found(found) => found.get(place).map(|found| found.href.clone()),
        Results::Waiting | Results::Failed => None,
    });
    if let Some(href) = href {
        open_page(&href);
    }
}

fn open_page(href: &str) {
    // If navigation fails, the user stays on the page.
    let _ = window().location().set_href(href);
}
