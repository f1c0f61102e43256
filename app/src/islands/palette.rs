//! Search across an organization, in a dialog that opens with Ctrl+K, ⌘K or, where nothing is typed, "/".

use std::time::Duration;

use leptos::{ev, html, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use crate::{
    calls::find,
    icons::{Icon, Symbol},
    islands::secret_form::submit_secret,
    values::found::Found,
};
use latchkey::key::secret_text::SecretPrefixes;

/// The pause in typing after which the search request is sent.
const PAUSE: Duration = Duration::from_millis(120);

/// The state of the results list.
#[derive(Clone)]
enum Results {
    /// No search was sent yet.
    Waiting,
    Found(Vec<Found>),
    /// The text can be a secret. It was not sent.
    Secret,
    /// The request failed.
    Failed,
}

/// The search button and its dialog. Without JavaScript, users search in the list of keys.
#[island]
pub fn Palette(
    /// The organization's slug.
    org: String,
    /// By which secrets are recognized. They are not sent as searches.
    secrets: SecretPrefixes,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let input = NodeRef::<html::Input>::new();
    let results = RwSignal::new(Results::Waiting);
    let chosen = RwSignal::new(0_usize);
    let last_asked = StoredValue::new(0_u32);
    let org = StoredValue::new(org);
    let find_page = move || format!("/orgs/{}/keys/find", org.get_value());
    let secrets = StoredValue::new(secrets);
    let ask = move |text: String| {
        let number = last_asked.get_value() + 1;
        last_asked.set_value(number);
        if secrets.with_value(|secrets| secrets.can_be_in(&text)) {
            chosen.set(0);
            results.set(Results::Secret);
            return;
        }
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
            if is_shortcut || is_slash(&event) {
                event.prevent_default();
                open();
            }
        });
        on_cleanup(move || shortcut.remove());
    });
    let shown = move || {
        results.with(|results| match results {
            Results::Found(found) => found.len(),
            Results::Secret => 1,
            Results::Waiting | Results::Failed => 0,
        })
    };
    let find_secret = move || {
        if let Some(input) = input.get_untracked() {
            submit_secret(&find_page(), &input.value());
            input.set_value("");
        }
    };
    let steer = move |event: ev::KeyboardEvent| {
        let (count, now) = (shown(), chosen.get_untracked());
        let to = match event.key().as_str() {
            "ArrowDown" if count > 0 => (now + 1) % count,
            "ArrowUp" if count > 0 => (now + count - 1) % count,
            "Enter" => {
                event.prevent_default();
                if results.with_untracked(|results| matches!(results, Results::Secret)) {
                    find_secret();
                } else {
                    follow(results, now);
                }
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
            Results::Secret => "This looks like a key. It was not sent as a search.".to_owned(),
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
                .map(|(place, found)| option(place, found.clone(), chosen).into_any())
                .collect_view(),
            Results::Secret => vec![secret_option(find_secret).into_any()],
            Results::Waiting | Results::Failed => Vec::new(),
        })
    };
    let is_silent = move || shown() > 0 || matches!(results.get(), Results::Waiting);
    view! {
        <button type="button" class="find needs-script" aria-haspopup="dialog" aria-keyshortcuts="/ Control+K Meta+K"
            on:click=move |_| open()>
            <Icon symbol=Symbol::Search/><span>"Search"</span><span class="keys" aria-hidden="true"><kbd>"/"</kbd><kbd>"Ctrl K"</kbd></span>
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

/// What takes the letters that are typed into it.
const TYPED_INTO: &str =
    "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

/// Whether someone pressed "/" outside a field and a dialog. Some keyboards have it on a key that is pressed with Shift.
fn is_slash(event: &web_sys::KeyboardEvent) -> bool {
    let is_alone = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
    let target = event.target();
    let target = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let is_typing = target.is_some_and(|target| {
        let field = target.closest(TYPED_INTO);
        field.is_ok_and(|field| field.is_some())
    });
    let open = document().query_selector("dialog[open]");
    let is_dialog = open.is_ok_and(|open| open.is_some());
    event.key() == "/" && is_alone && !is_typing && !is_dialog
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

/// The only option for a text that can be a secret.
fn secret_option(find_secret: impl Fn() + 'static) -> impl IntoView {
    view! {
        <li id=option_id(0) role="option" aria-selected="true" on:click=move |_| find_secret()>
            <span class="name">"Find the key with this secret"</span><span class="kind">"Key"</span>
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
        Results::Secret | Results::Waiting | Results::Failed => None,
    });
    if let Some(href) = href {
        open_page(&href);
    }
}

fn open_page(href: &str) {
    // If navigation fails, the user stays on the page.
    let _ = window().location().set_href(href);
}
