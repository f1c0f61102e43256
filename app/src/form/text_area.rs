//! A text of several lines in a form.

use leptos::prelude::*;

/// The control. What it holds at first is text, whatever it looks like.
#[component]
pub fn TextArea(
    /// Its `name`, and its `id` too.
    name: &'static str,
    /// What it holds at first.
    text: String,
    #[prop(default = "input")] class: &'static str,
    /// The most characters it takes.
    maxlength: usize,
    /// What stands there until something is typed.
    #[prop(default = "")]
    placeholder: &'static str,
    /// The ids of what describes it.
    #[prop(into)]
    described_by: Signal<Option<String>>,
    /// Whether what it holds will not do.
    #[prop(into)]
    invalid: Signal<bool>,
    /// Called with what it holds when that has changed and the person moves on.
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

/// The server writes what stands between the tags as it is, so it is escaped here, after a line end that HTML drops. The
/// browser, when it makes the element itself, takes it as text; when the page is made live it leaves it alone.
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
