//! The live region that announces what was done and what failed.

use std::{cell::Cell, time::Duration};

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys};

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
    values::said::{Said, UndoForm},
};

/// How long a message without an action is shown.
const SHOWN_FOR: Duration = Duration::from_secs(6);

const REGION_ID: &str = "messages";

thread_local! {
    /// The page's region, once it is hydrated.
    static REGION: Cell<Option<Region>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Region {
    shown: RwSignal<Option<Message>>,
    /// The number of messages shown so far.
    count: StoredValue<u32>,
}

/// A message in the region.
#[derive(Clone)]
struct Message {
    text: String,
    offer: Offer,
}

/// The action that a message offers.
#[derive(Clone)]
enum Offer {
    /// None: the message disappears by itself.
    Nothing,
    Undo(Callback<()>),
    /// Undo what the form that led to this page did. Works without JavaScript.
    UndoBy(UndoForm),
    /// Open a page that follows from it: address and text.
    Open(String, String),
    /// Sign in, after a call failed without a session.
    SignIn,
    /// Dismiss, after another failure.
    Dismiss,
}

/// Shows that something was done.
pub fn show_done(text: String) {
    show(text, Offer::Nothing);
}

/// Shows that something was done, and offers to undo it.
pub fn show_undoable(text: String, undo: impl Fn() + Send + Sync + 'static) {
    show(text, Offer::Undo(Callback::new(move |()| undo())));
}

/// Shows why a call of a server function failed, and what to do.
pub fn show_failure(error: &AppError) {
    let offer = match error {
        AppError::SignedOut => Offer::SignIn,
        _ => Offer::Dismiss,
    };
    show(error.to_string(), offer);
}

/// Removes the message.
pub fn clear() {
    if let Some(region) = REGION.get() {
        region.shown.set(None);
    }
}

/// Removes the message, and leaves the focus in the page.
fn dismiss_message() {
    focus("content");
    clear();
}

/// Focuses the region, which then says what follows.
fn focus_region() {
    focus(REGION_ID);
}

fn focus(id: &str) {
    let element = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(element) = element {
        // If the browser cannot focus it, the focus is where it was.
        let _ = element.focus();
    }
}

fn show(text: String, offer: Offer) {
    if let Some(region) = REGION.get() {
        region.show(Message { text, offer });
    }
}

impl Region {
    fn show(self, message: Message) {
        let number = self.count.get_value() + 1;
        self.count.set_value(number);
        let goes = matches!(message.offer, Offer::Nothing);
        // Screen readers announce changes, so the region is emptied before a message is shown.
        self.shown.set(None);
        request_animation_frame(move || self.shown.set(Some(message)));
        if goes {
            let hide = move || {
                if self.count.get_value() == number {
                    self.shown.set(None);
                }
            };
            set_timeout(hide, SHOWN_FOR);
        }
    }
}

/// Shows the result of the form that led to this page, and with JavaScript the results of islands.
#[island]
pub fn StatusRegion(
    /// The initial message.
    said: Option<Said>,
) -> impl IntoView {
    let message = said.map(|Said { text, undo, link }| Message {
        text,
        offer: match (undo, link) {
            (Some(undo), _) => Offer::UndoBy(undo),
            (None, Some((href, text))) => Offer::Open(href, text),
            (None, None) => Offer::Nothing,
        },
    });
    // The form that was sent is gone, and the focus with it.
    let is_focused = message.is_some();
    let region = Region {
        shown: RwSignal::new(message.clone()),
        count: StoredValue::new(0),
    };
    Effect::new(move |_| {
        REGION.set(Some(region));
        if let Some(message) = message.clone() {
            region.show(message);
        }
    });
    view! {
        <div class="toasts" role="status" aria-live="polite" id=REGION_ID tabindex="-1" autofocus=is_focused>
            {move || region.shown.get().map(notice)}
        </div>
    }
}

fn notice(message: Message) -> impl IntoView {
    let Message { text, offer } = message;
    let (class, symbol) = match offer {
        Offer::Nothing | Offer::Undo(_) | Offer::UndoBy(_) | Offer::Open(..) => {
            ("notice ok", Symbol::Check)
        }
        Offer::SignIn | Offer::Dismiss => ("notice bad", Symbol::Alert),
    };
    let dismiss = (!matches!(offer, Offer::Nothing)).then(|| {
        view! {
            <button type="button" class="btn square needs-script" aria-label="Dismiss" on:click=move |_| dismiss_message()><Icon symbol=Symbol::Close/></button>
        }
    });
    let act = match offer {
        Offer::UndoBy(UndoForm { action, fields }) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
                .collect_view();
            Some(view! { <form method="post" action=action>{fields}<button class="btn">"Undo"</button></form> }.into_any())
        }
        Offer::Undo(undo) => {
            let undo = move |_| {
                // The button disappears with the message.
                focus_region();
                undo.run(());
            };
            Some(
                view! { <button type="button" class="btn" on:click=undo>"Undo"</button> }
                    .into_any(),
            )
        }
        Offer::Open(href, text) => Some(view! { <a class="btn" href=href>{text}</a> }.into_any()),
        Offer::SignIn => {
            let here = window().location().pathname().unwrap_or_default();
            Some(
                view! { <a class="btn" href=format!("/sign-in?next={here}")>"Sign in"</a> }
                    .into_any(),
            )
        }
        Offer::Nothing | Offer::Dismiss => None,
    };
    view! { <div class=class><Icon symbol/><p>{text}</p>{act}{dismiss}</div> }
}
