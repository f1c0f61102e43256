//! Code examples as tabs.

use leptos::prelude::*;

use super::Snippet;
use crate::islands::copy_button::CopyButton;

/// The examples; the first one is selected.
#[component]
pub fn ExampleTabs(examples: Vec<Snippet>) -> impl IntoView {
    // One example is no choice: its name is a heading.
    let only = match examples.as_slice() {
        [only] => Some(only.language),
        _ => None,
    };
    let labels = examples
        .iter()
        .enumerate()
        .map(|(place, example)| {
            view! {
                <label>
                    <input class="visually-hidden" type="radio" name="language" checked=place == 0/>
                    {example.language}
                </label>
            }
        })
        .collect_view();
    let panels = examples
        .into_iter()
        .enumerate()
        .map(|(place, example)| {
            let id = format!("example-{place}");
            view! {
                <div class="panel">
                    <pre tabindex="0"><code id=id.clone()>{example.text}</code></pre>
                    <CopyButton of=id class="btn".to_owned() text="Copy".to_owned() copied="Copied".to_owned()/>
                </div>
            }
        })
        .collect_view();
    let head = match only {
        Some(language) => view! { <h3>{language}</h3> }.into_any(),
        None => view! { <div class="seg" role="radiogroup" aria-label="Examples">{labels}</div> }
            .into_any(),
    };
    view! { <div class="tabs">{head}{panels}</div> }
}
