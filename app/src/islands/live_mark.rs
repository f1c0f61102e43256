//! The mark of a page that updates itself: it says whether it does, and shows what the server sends.

use leptos::prelude::*;

/// Whether the page updates itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "hydrate"),
    expect(
        dead_code,
        reason = "the server renders a page that does not update itself yet"
    )
)]
enum State {
    /// Without scripts, or while it connects.
    Off,
    Live,
    /// The connection was lost, or there are too many.
    Lost,
}

/// The mark. It has no text until the page updates itself.
#[component]
pub fn LiveMark(
    /// The path of the stream, to which the query of the page is added.
    path: String,
    /// Called with the HTML that the server sends. Returns whether it was shown.
    show: fn(&str) -> bool,
    /// Changes with the query of the page.
    #[prop(into)]
    query: Signal<()>,
) -> impl IntoView {
    let state = RwSignal::new(State::Off);
    #[cfg(feature = "hydrate")]
    stream::follow(path, show, query, state);
    #[cfg(not(feature = "hydrate"))]
    let _ = (path, show, query);
    let class = move || match state.get() {
        State::Off => "visually-hidden",
        State::Live => "tag ok",
        State::Lost => "tag plain",
    };
    let text = move || match state.get() {
        State::Off => "",
        State::Live => "Updates by itself",
        State::Lost => "No longer updates",
    };
    view! { <span class=class role="status">{text}</span> }
}

#[cfg(feature = "hydrate")]
mod stream {
    use std::{cell::RefCell, rc::Rc, time::Duration};

    use leptos::{
        ev,
        prelude::*,
        wasm_bindgen::{JsCast, JsValue, closure::Closure},
        web_sys,
    };
    use web_sys::{EventSource, MessageEvent};

    use super::State;

    /// How long a report waits while the user reads the one that is shown.
    const LATER: Duration = Duration::from_secs(1);
    /// After how long a rejected page asks again.
    const AGAIN: Duration = Duration::from_secs(30);

    /// The connection, and what it calls.
    struct Stream {
        path: String,
        show: fn(&str) -> bool,
        state: RwSignal<State>,
        source: RefCell<Option<EventSource>>,
        /// The latest report that is not shown yet.
        waiting: RefCell<Option<String>>,
    }

    /// Connects while the page is visible, and again when its query has changed.
    pub fn follow(path: String, show: fn(&str) -> bool, query: Signal<()>, state: RwSignal<State>) {
        let stream = Rc::new(Stream {
            path,
            show,
            state,
            source: RefCell::new(None),
            waiting: RefCell::new(None),
        });
        Effect::new({
            let stream = Rc::clone(&stream);
            move |_| {
                query.track();
                Stream::connect(&stream);
            }
        });
        // The page has one mark until it is left.
        window_event_listener(ev::visibilitychange, move |_| Stream::connect(&stream));
    }

    impl Stream {
        fn connect(this: &Rc<Self>) {
            if let Some(source) = this.source.take() {
                source.close();
            }
            this.waiting.take();
            this.state.set(State::Off);
            // A report of the past is marked as such.
            let is_over = document().query_selector("[data-over]");
            if document().hidden() || is_over.is_ok_and(|over| over.is_some()) {
                return;
            }
            let query = window().location().search().unwrap_or_default();
            let Ok(source) = EventSource::new(&format!("{}{query}", this.path)) else {
                return;
            };
            let weak = Rc::downgrade(this);
            let opened = move |stream: &Rc<Self>| stream.state.set(State::Live);
            source.set_onopen(Some(&called(weak.clone(), move |stream, _| opened(stream))));
            let received = |stream: &Rc<Self>, event: JsValue| {
                if let Some(html) = event.unchecked_ref::<MessageEvent>().data().as_string() {
                    stream.waiting.replace(Some(html));
                    Self::show_waiting(stream);
                }
            };
            source.set_onmessage(Some(&called(weak.clone(), received)));
            let lost = |stream: &Rc<Self>, _| stream.lose();
            source.set_onerror(Some(&called(weak, lost)));
            this.source.replace(Some(source));
        }

        /// The browser connects again by itself, unless it was rejected.
        fn lose(self: &Rc<Self>) {
            self.state.set(State::Lost);
            let is_closed = |source: &EventSource| source.ready_state() == EventSource::CLOSED;
            if self.source.borrow().as_ref().is_some_and(is_closed) {
                self.source.take();
                let stream = Rc::clone(self);
                let again = move || {
                    if stream.source.borrow().is_none() {
                        Self::connect(&stream);
                    }
                };
                set_timeout(again, AGAIN);
            }
        }

        fn show_waiting(this: &Rc<Self>) {
            let Some(html) = this.waiting.take() else {
                return;
            };
            if !(this.show)(&html) {
                this.waiting.replace(Some(html));
                let stream = Rc::clone(this);
                set_timeout(move || Self::show_waiting(&stream), LATER);
            }
        }
    }

    /// A function for the browser. It lives as long as the page: a page connects a few times.
    fn called(
        stream: std::rc::Weak<Stream>,
        call: impl Fn(&Rc<Stream>, JsValue) + 'static,
    ) -> web_sys::js_sys::Function {
        let function = move |event| {
            if let Some(stream) = stream.upgrade() {
                call(&stream, event);
            }
        };
        Closure::<dyn Fn(JsValue)>::new(function)
            .into_js_value()
            .unchecked_into()
    }
}
