//! A warning before the user leaves a page that shows a key or a token once, without having stored it.

use leptos::{ev, html, prelude::*, wasm_bindgen::JsCast, web_sys};

/// The warning. It opens when a link is followed or the page's form is submitted while the checkbox `stored` is not
/// selected; for everything else that leaves the page, the browser asks. Copying the text selects the checkbox, as
/// does each copy button whose text contains it.
#[island]
pub fn LeaveGuard(
    /// What the page shows: `key` or `token`.
    what: String,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    // Where the user wants to go, or nothing if they pressed Done.
    let wanted = RwSignal::new(None::<String>);
    let leaves = StoredValue::new(false);
    Effect::new(move |_| {
        let ask = move |event: &web_sys::Event, to: Option<String>| {
            let Some(dialog) = dialog.get_untracked().filter(|_| !leaves.get_value()) else {
                return;
            };
            if must_warn() && (dialog.open() || dialog.show_modal().is_ok()) {
                event.prevent_default();
                wanted.set(to);
            }
        };
        let clicks = window_event_listener(ev::click, move |event| {
            if let Some(link) = link_that_leaves(&event) {
                ask(&event, Some(link));
            }
        });
        // The browser's own message about the required checkbox would come first.
        if let Ok(Some(form)) = document().query_selector("section.once footer form") {
            let _ = form.set_attribute("novalidate", "");
        }
        let submits = window_event_listener(ev::submit, move |event| {
            let is_here = event
                .target()
                .and_then(|form| form.dyn_into::<web_sys::Element>().ok())
                .is_some_and(|form| matches!(form.closest("section.once footer"), Ok(Some(_))));
            if is_here {
                ask(&event, None);
            }
        });
        let copies = window_event_listener(ev::copy, |event| {
            let from = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            let is_secret = from.is_some_and(|from| matches!(from.closest(".secret"), Ok(Some(_))));
            if let Some(checkbox) = checkbox().filter(|_| is_secret) {
                checkbox.set_checked(true);
            }
        });
        let unloads = window_event_listener(ev::beforeunload, move |event| {
            if must_warn() && !leaves.get_value() {
                event.prevent_default();
            }
        });
        on_cleanup(move || {
            clicks.remove();
            submits.remove();
            copies.remove();
            unloads.remove();
        });
    });
    let leave = move |_| {
        leaves.set_value(true);
        match wanted.get_untracked() {
            Some(to) => {
                // If navigation fails, the page stays.
                let _ = window().location().assign(&to);
            }
            None => {
                if let Some(form) = checkbox().and_then(|checkbox| checkbox.form()) {
                    let _ = form.submit();
                }
            }
        }
    };
    view! {
        <dialog class="dialog" aria-labelledby="leave-title" node_ref=dialog>
            <form method="dialog">
                <header>
                    <h2 id="leave-title">{format!("You have not copied this {what}.")}</h2>
                    <p>"It cannot be shown again."</p>
                </header>
                <footer>
                    <button type="button" class="btn danger" on:click=leave>"Leave without it"</button>
                    <button class="btn primary" autofocus>"Stay on this page"</button>
                </footer>
            </form>
        </dialog>
    }
}

/// Whether the page still shows the text, and nothing says that it was stored.
fn must_warn() -> bool {
    checkbox().is_some_and(|checkbox| !checkbox.checked())
}

fn checkbox() -> Option<web_sys::HtmlInputElement> {
    let element = document().get_element_by_id("stored")?;
    element.dyn_into().ok()
}

/// The URL of the link that a click follows in this tab, if it leads to another page.
fn link_that_leaves(event: &web_sys::MouseEvent) -> Option<String> {
    if event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() {
        return None;
    }
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let link = target.closest("a[href]").ok().flatten()?;
    let href = link.get_attribute("href")?;
    let has = |name: &str| link.get_attribute(name).is_some();
    let stays = href.starts_with('#') || has("target") || has("download");
    (!stays).then_some(href)
}
