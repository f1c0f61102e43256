//! The usage page in place: its links, its form and its chart lead to other questions without leaving the page.
//!
//! The server renders the page; this listens to what happens in it. Without a script, the same links and the same form load
//! the page again.

use leptos::{ev, prelude::*, task::spawn_local, wasm_bindgen::JsCast, web_sys};

use super::{
    elements::{all, within},
    history::{add_entry, replace_entry},
    live_mark::LiveMark,
    scrub,
    status_region::show_failure,
};
use crate::{calls::usage, values::usage::ShownUsage};

/// The ID of the part of the page that is replaced.
const ROOT: &str = "usage";

/// Follows the links, the form and the chart of the page.
#[island]
pub fn LiveUsage(
    /// The organization's slug.
    org: String,
) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let page = Page {
        path: StoredValue::new(format!("/orgs/{org}/usage")),
        org: StoredValue::new(org),
        shown: StoredValue::new(String::new()),
        count: StoredValue::new(0),
        said,
        answers: RwSignal::new(0),
    };
    Effect::new(move |_| {
        page.shown.set_value(search());
        let handles = [
            window_event_listener(ev::popstate, move |_| page.follow_address()),
            window_event_listener(ev::click, move |event| page.follow_link(&event)),
            window_event_listener(ev::submit, move |event| page.follow_form(&event)),
        ];
        let zoom = move |from: &str, to: &str| page.zoom(from, to);
        let scrub = scrub::listen(ROOT, zoom);
        scrub::prepare(ROOT);
        on_cleanup(move || {
            handles.into_iter().for_each(WindowListenerHandle::remove);
            drop(scrub);
        });
    });
    let stream = page.path.with_value(|path| format!("{path}/live"));
    let query = Signal::derive(move || page.answers.track());
    view! {
        <div class="live"><LiveMark path=stream show=show_live query/></div>
        <span class="visually-hidden" role="status">{move || said.get()}</span>
    }
}

/// The page, and the question that is shown.
#[derive(Clone, Copy)]
struct Page {
    /// The organization's slug.
    org: StoredValue<String>,
    /// The path of the page.
    path: StoredValue<String>,
    /// The query of the answer that is shown.
    shown: StoredValue<String>,
    /// The number of requests so far.
    count: StoredValue<u32>,
    /// The text that screen readers announce.
    said: RwSignal<String>,
    /// Changes with each answer that is shown.
    answers: RwSignal<u32>,
}

/// Why a question is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The user followed a link, sent the form or selected a part of the chart.
    Asked,
    /// The user went back or forward, so the URL already has the question.
    Address,
}

impl Page {
    /// The event also fires when the user follows a link to a fragment of the page.
    fn follow_address(self) {
        let query = search();
        if query != self.shown.get_value() || is_busy() {
            self.ask(query, Why::Address);
        }
    }

    fn follow_link(self, event: &ev::MouseEvent) {
        let elsewhere =
            event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        let Some(link) = within(event, "#usage a[href]") else {
            return;
        };
        let href = link.get_attribute("href").unwrap_or_default();
        let (path, query) = href.split_once('?').unwrap_or((&href, ""));
        if event.button() == 0 && !elsewhere && self.path.with_value(|own| own.as_str() == path) {
            event.prevent_default();
            mark_current(&link);
            self.ask(query.to_owned(), Why::Asked);
        }
    }

    fn follow_form(self, event: &ev::SubmitEvent) {
        let form = within(event, "#usage form");
        let Some(form) = form.and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok())
        else {
            return;
        };
        let fields = web_sys::FormData::new_with_form(&form);
        let query = fields.and_then(|fields| {
            web_sys::UrlSearchParams::new_with_str_sequence_sequence(fields.as_ref())
        });
        // If it fails, the browser sends the form.
        if let Ok(query) = query {
            event.prevent_default();
            self.ask(query.to_string().into(), Why::Asked);
        }
    }

    /// Asks for a part of the time.
    fn zoom(self, from: &str, to: &str) {
        let Ok(query) = web_sys::UrlSearchParams::new_with_str(&self.shown.get_value()) else {
            return;
        };
        for name in ["range", "step"] {
            query.delete(name);
        }
        query.set("from", from);
        query.set("to", to);
        self.ask(query.to_string().into(), Why::Asked);
    }

    /// If questions overlap, only the answer to the last one is shown.
    fn ask(self, query: String, why: Why) {
        let number = self.count.get_value() + 1;
        self.count.set_value(number);
        mark_busy(true);
        spawn_local(async move {
            let answer = usage(self.org.get_value(), query).await;
            if self.count.get_value() != number {
                return;
            }
            mark_busy(false);
            let before = self.shown.get_value();
            match answer {
                Ok(shown) => self.show(shown, why),
                Err(error) => {
                    if why == Why::Address {
                        replace_entry(Some(&self.address(&before)));
                    }
                    mark_shown();
                    show_failure(&error);
                }
            }
        });
    }

    fn address(self, query: &str) -> String {
        let path = self.path.get_value();
        if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        }
    }

    fn show(self, shown: ShownUsage, why: Why) {
        if why == Why::Asked && shown.query != self.shown.get_value() {
            add_entry(&self.address(&shown.query));
        }
        self.shown.set_value(shown.query);
        self.said.set(shown.said);
        replace(ROOT, &shown.html);
        scrub::prepare(ROOT);
        self.answers.update(|answers| *answers += 1);
    }
}

/// The query of the URL.
fn search() -> String {
    let query = window().location().search().unwrap_or_default();
    query.trim_start_matches('?').to_owned()
}

/// Replaces the content of the element with this ID with the server's HTML, in which every name is escaped. What is unfolded
/// stays unfolded, and what has the focus keeps it.
fn replace(id: &str, html: &str) {
    let Some(element) = document().get_element_by_id(id) else {
        return;
    };
    let focused = document().active_element().map(|element| element.id());
    let open: Vec<String> = all("#usage details[open]")
        .iter()
        .map(web_sys::Element::id)
        .collect();
    element.set_inner_html(html);
    for details in all("#usage details") {
        if open.contains(&details.id()) {
            // If it fails, the user can unfold it.
            let _ = details.set_attribute("open", "");
        }
    }
    let focused = focused.filter(|id| !id.is_empty());
    let element = focused.and_then(|id| document().get_element_by_id(&id));
    if let Some(element) =
        element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // If it fails, the focus is at the start of the page.
        let _ = element.focus();
    }
}

/// Shows a report that the server sent, unless another one is loading, or the user reads a value of the chart or has the
/// focus in the report. Returns whether it was shown.
fn show_live(html: &str) -> bool {
    let is_in_use = "#usage[aria-busy=true], #usage-report .chart:hover, #usage-report :focus";
    let is_free = matches!(document().query_selector(is_in_use), Ok(None));
    if is_free {
        replace("usage-report", html);
        scrub::prepare(ROOT);
    }
    is_free
}

fn mark_busy(is_busy: bool) {
    if let Some(usage) = document().get_element_by_id("usage") {
        // If it fails, only the busy state is not shown.
        let _ = usage.set_attribute("aria-busy", if is_busy { "true" } else { "false" });
    }
}

fn is_busy() -> bool {
    document()
        .query_selector("#usage[aria-busy=true]")
        .is_ok_and(|busy| busy.is_some())
}

/// Marks the range of a link as the current one while its answer is on its way.
fn mark_current(link: &web_sys::Element) {
    if !link.matches("#usage .seg a").unwrap_or_default() {
        return;
    }
    let is_first = all("#usage .seg a[data-shown]").is_empty();
    for other in all("#usage .seg a[aria-current]") {
        // If it fails, only the mark is wrong.
        let _ = other.remove_attribute("aria-current");
        if is_first {
            let _ = other.set_attribute("data-shown", "");
        }
    }
    let _ = link.set_attribute("aria-current", "true");
}

/// Marks the range that is still shown, after a question had no answer.
fn mark_shown() {
    for link in all("#usage .seg a[aria-current]") {
        let _ = link.remove_attribute("aria-current");
    }
    for link in all("#usage .seg a[data-shown]") {
        let _ = link.remove_attribute("data-shown");
        let _ = link.set_attribute("aria-current", "true");
    }
}
