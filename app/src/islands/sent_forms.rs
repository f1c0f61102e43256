//! What every form of a page does when it is submitted: its button shows that it is busy, and what was typed is kept in
//! case the session has ended.

use std::time::Duration;

use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};
use serde::{Deserialize, Serialize};

use super::status_region::show_done;

const KEPT: &str = "latchkey-form";
/// Set by the sign-in page: the next page fills in what was kept.
const SIGNED_IN: &str = "latchkey-form-signed-in";
/// The most bytes that are kept.
const MAX_KEPT: usize = 100_000;
/// The first words of the paths of pages for signed-in users. Other pages have no session that could end, and the paths of some are
/// single-use links.
const PAGES: [&str; 3] = ["account", "instance", "orgs"];
/// The text fields that are kept: those whose text Latchkey stores as it is. Any other can be a secret, such as a code.
const TEXTS: [&str; 20] = [
    "add",
    "answer",
    "comment",
    "confirm",
    "domains",
    "email",
    "external_id",
    "factor",
    "ip_ranges",
    "longest_life_days",
    "metadata",
    "min_rejected",
    "min_requests",
    "name",
    "notes",
    "org_name",
    "origin",
    "purpose",
    "rotation_days",
    "text",
];
/// After this time the islands have taken over their fields.
const HYDRATED: Duration = Duration::from_millis(200);

/// A submitted form, kept by the browser until the next page, for this tab only.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The path of the form's page.
    page: String,
    /// The path that the form is sent to.
    action: String,
    /// Name and value of each field.
    fields: Vec<(String, String)>,
}

/// Marks the button of a submitted form as busy until the next page arrives. If an island handles the form, it marks the
/// button itself.
pub fn mark_busy() {
    window_event_listener(ev::submit, |event| {
        let button = event.submitter().filter(|button| !closes_dialog(button));
        // Every handler has seen the event by then.
        request_animation_frame(move || {
            if let Some(button) = button.filter(|_| !event.default_prevented()) {
                // If it fails, the button looks as before.
                let _ = button.set_attribute("aria-busy", "true");
            }
        });
    });
    // A page that the browser kept in memory shows no busy button.
    window_event_listener(ev::pageshow, |_| {
        let buttons = document().query_selector_all("button[aria-busy=true]");
        let buttons = buttons
            .iter()
            .flat_map(|list| (0..list.length()).filter_map(|at| list.item(at)));
        for button in buttons.filter_map(|button| button.dyn_into::<web_sys::Element>().ok()) {
            let _ = button.remove_attribute("aria-busy");
        }
    });
}

/// Whether a button closes its dialog, so that no other page follows.
fn closes_dialog(button: &web_sys::Element) -> bool {
    let is_dialog = |method: Option<String>| method.is_some_and(|method| method == "dialog");
    let form = button.closest("form").ok().flatten();
    match button.get_attribute("formmethod") {
        Some(method) => is_dialog(Some(method)),
        None => is_dialog(form.and_then(|form| form.get_attribute("method"))),
    }
}

/// Keeps what is submitted, and fills it in again after the user had to sign in. Secrets are not kept: text fields that are not
/// among the [`TEXTS`], passwords, hidden fields, files, and forms that the browser must not remember.
pub fn keep_over_sign_in() {
    let here = window().location().pathname().unwrap_or_default();
    if here == "/sign-in" {
        if let Some(storage) = storage() {
            let _ = storage.set_item(SIGNED_IN, "1");
        }
        return;
    }
    restore(&here);
    let page = here.split('/').nth(1).unwrap_or_default();
    if !PAGES.contains(&page) {
        return;
    }
    window_event_listener(ev::submit, move |event| {
        let form = event
            .target()
            .and_then(|form| form.dyn_into::<web_sys::HtmlFormElement>().ok());
        if let Some(form) = form.filter(is_kept) {
            keep(&here, &form);
        }
    });
}

fn is_kept(form: &web_sys::HtmlFormElement) -> bool {
    form.method() == "post" && form.get_attribute("autocomplete").as_deref() != Some("off")
}

fn keep(page: &str, form: &web_sys::HtmlFormElement) {
    let fields = controls(form)
        .into_iter()
        .filter(|control| control.is_set())
        .map(|control| (control.name(), control.value()))
        .collect();
    let kept = Kept {
        page: page.to_owned(),
        action: form.get_attribute("action").unwrap_or_default(),
        fields,
    };
    let text = serde_json::to_string(&kept).unwrap_or_default();
    if let (Some(storage), true) = (storage(), text.len() <= MAX_KEPT) {
        // If the browser's storage is full or off, nothing is kept.
        let _ = storage.set_item(KEPT, &text);
    }
}

fn restore(page: &str) {
    let Some(storage) = storage() else { return };
    let text = storage.get_item(KEPT).ok().flatten().unwrap_or_default();
    let _ = storage.remove_item(KEPT);
    let was_signing_in = matches!(storage.get_item(SIGNED_IN), Ok(Some(_)));
    let _ = storage.remove_item(SIGNED_IN);
    let kept = serde_json::from_str::<Kept>(&text).ok();
    let Some(kept) = kept.filter(|kept| was_signing_in && kept.page == page) else {
        return;
    };
    set_timeout(move || fill(&kept), HYDRATED);
}

fn fill(kept: &Kept) {
    let forms = document().forms();
    let form = (0..forms.length())
        .filter_map(|at| forms.item(at)?.dyn_into::<web_sys::HtmlFormElement>().ok())
        .find(|form| is_kept(form) && form.get_attribute("action").as_ref() == Some(&kept.action));
    let Some(form) = form else { return };
    for control in controls(&form) {
        control.set(&kept.fields);
    }
    show_done("What you entered is back. Submit the form again.".to_owned());
}

fn is_kept_text(name: &str) -> bool {
    TEXTS.contains(&name)
}

/// A field in which the user types or chooses, if it is kept.
enum Control {
    Tick(web_sys::HtmlInputElement),
    Input(web_sys::HtmlInputElement),
    Area(web_sys::HtmlTextAreaElement),
    Choice(web_sys::HtmlSelectElement),
}

fn controls(form: &web_sys::HtmlFormElement) -> Vec<Control> {
    let elements = form.elements();
    (0..elements.length())
        .filter_map(|at| Control::of(elements.item(at)?))
        .filter(|control| !control.name().is_empty())
        .collect()
}

impl Control {
    fn of(element: web_sys::Element) -> Option<Self> {
        let element = match element.dyn_into::<web_sys::HtmlInputElement>() {
            Ok(input) => {
                return match input.type_().as_str() {
                    "password" | "hidden" | "file" | "submit" | "button" => None,
                    "checkbox" | "radio" => Some(Self::Tick(input)),
                    "date" => Some(Self::Input(input)),
                    _ => is_kept_text(&input.name()).then_some(Self::Input(input)),
                };
            }
            Err(element) => element,
        };
        match element.dyn_into::<web_sys::HtmlTextAreaElement>() {
            Ok(area) => is_kept_text(&area.name()).then_some(Self::Area(area)),
            Err(element) => element.dyn_into().ok().map(Self::Choice),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Tick(input) | Self::Input(input) => input.name(),
            Self::Area(area) => area.name(),
            Self::Choice(choice) => choice.name(),
        }
    }

    fn value(&self) -> String {
        match self {
            Self::Tick(input) | Self::Input(input) => input.value(),
            Self::Area(area) => area.value(),
            Self::Choice(choice) => choice.value(),
        }
    }

    /// Whether the form sends the field.
    fn is_set(&self) -> bool {
        match self {
            Self::Tick(input) => input.checked(),
            _ => true,
        }
    }

    /// Sets the field to what was sent, and tells its island.
    fn set(&self, fields: &[(String, String)]) {
        let name = self.name();
        let mut values = fields
            .iter()
            .filter(|(of, _)| *of == name)
            .map(|(_, value)| value);
        let target: &web_sys::EventTarget = match self {
            Self::Tick(input) => {
                let own = input.value();
                let is_checked = values.any(|value| *value == own);
                if input.checked() == is_checked {
                    return;
                }
                input.set_checked(is_checked);
                input
            }
            Self::Input(input) => {
                let Some(value) = values.next() else { return };
                input.set_value(value);
                input
            }
            Self::Area(area) => {
                let Some(value) = values.next() else { return };
                area.set_value(value);
                area
            }
            Self::Choice(choice) => {
                let Some(value) = values.next() else { return };
                choice.set_value(value);
                choice
            }
        };
        let init = web_sys::EventInit::new();
        init.set_bubbles(true);
        for kind in ["input", "change"] {
            if let Ok(event) = web_sys::Event::new_with_event_init_dict(kind, &init) {
                // The result says whether the event was canceled, which it cannot be.
                let _ = target.dispatch_event(&event);
            }
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}

/// Where the browser keeps a search that was not sent, until the next page of the tab.
const UNSENT: &str = "latchkey-search";

/// Keeps a search that was typed, but not sent, while another form is.
pub fn keep_unsent(text: &str) {
    if let Some(storage) = storage() {
        // If the browser's storage is full or off, nothing is kept.
        let _ = storage.set_item(UNSENT, text);
    }
}

/// Returns the search that was kept on the previous page.
pub fn take_unsent() -> Option<String> {
    let storage = storage()?;
    let text = storage.get_item(UNSENT).ok().flatten();
    let _ = storage.remove_item(UNSENT);
    text
}
