//! A multi-line text field.

use leptos::prelude::*;

/// A `<textarea>` whose initial value is always rendered as text.
#[component]
pub fn TextArea(
    /// The `name` and `id` of the element.
    name: &'static str,
    /// The initial value.
    text: String,
    #[prop(default = "input")] class: &'static str,
    maxlength: usize,
    #[prop(default = "")] placeholder: &'static str,
    /// The value of `aria-describedby`.
    #[prop(into)]
    described_by: Signal<Option<String>>,
    /// Whether the field has errors.
    #[prop(into)]
    invalid: Signal<bool>,
    /// Called with the new value on the `change` event.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
) -> impl IntoView {
    view! {
        <textarea
            class=class id=name name=name maxlength=maxlength placeholder=placeholder spellcheck="false"
            aria-describedby=move || described_by.get()
            aria-invalid=move || invalid.get().then_some("true")
            on:change:target=move |event| if let Some(on_change) = on_change { on_change.run(event.target().value()) }
        >{initial(text)}</textarea>
    }
}

/// Leptos does not escape the content of a `<textarea>` on the server, so it is escaped here. It follows a line break,
/// because HTML drops the first one. In the browser the content is set as text, and hydration does not change it.
fn initial(text: String) -> String {
    if cfg!(feature = "ssr") {
        format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))
    } else {
        text
    }
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_text() {
        let owner = Owner::new();
        let html = owner.with(|| {
            let text = "</textarea><script>alert(1)</script> & &amp;".to_owned();
            view! { <TextArea name="notes" text maxlength=9 described_by=None invalid=false/> }
                .to_html()
        });
        assert!(!html.contains("<script>"), "{html}");
        assert!(
            html.contains(
                ">\n&lt;/textarea>&lt;script>alert(1)&lt;/script> &amp; &amp;amp;</textarea>"
            ),
            "{html}"
        );
    }
}
