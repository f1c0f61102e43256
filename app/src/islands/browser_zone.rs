//! The time zone of the browser, offered beside the list of all.

use leptos::prelude::*;

/// A button that chooses the zone of the browser, unless that is the chosen one. Without JavaScript there is the list.
#[island]
pub fn BrowserZone(
    /// The names of the chosen zone: browsers still know some zones by older names.
    same: Vec<String>,
) -> impl IntoView {
    let offered = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        offered.set(browser_zone().filter(|zone| !same.contains(zone)));
    });
    let text = move || match offered.get() {
        Some(zone) => format!("Use {zone}, the zone of this browser"),
        None => "Use the zone of this browser".to_owned(),
    };
    view! {
        <form method="post" action="/account/profile" hidden=move || offered.get().is_none()>
            <input type="hidden" name="change" value="time_zone"/>
            <button class="btn" name="time_zone" value=move || offered.get()>{text}</button>
        </form>
    }
}

#[cfg(feature = "hydrate")]
fn browser_zone() -> Option<String> {
    use leptos::{
        wasm_bindgen::JsValue,
        web_sys::js_sys::{Array, Intl::DateTimeFormat, Object, Reflect},
    };
    let format = DateTimeFormat::new(&Array::new(), &Object::new());
    let zone = Reflect::get(&format.resolved_options(), &JsValue::from_str("timeZone"));
    zone.ok()?.as_string()
}

/// The server does not know the zone of the browser.
#[cfg(not(feature = "hydrate"))]
const fn browser_zone() -> Option<String> {
    None
}
