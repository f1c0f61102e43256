//! What a page begins with, in the page and in the browser.

use leptos::prelude::*;

/// The title, a sentence, and what can be done.
#[component]
pub fn Heading(
    #[prop(into)] title: String,
    /// A sentence below it.
    lead: Option<AnyView>,
    /// Beside the title, such as a tag.
    beside: Option<AnyView>,
    /// What can be done on the page: links and buttons.
    actions: Option<AnyView>,
) -> impl IntoView {
    view! {
        <div class="head">
            <div><h1>{title}" "{beside}</h1>{lead.map(|lead| view! { <p>{lead}</p> })}</div>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
}

/// Where a page lies: links to the pages above it, then its own name.
#[component]
pub fn Breadcrumbs(
    /// Address and name of each page above, outermost first.
    above: Vec<(String, String)>,
    /// The page's own name.
    #[prop(into)]
    here: String,
) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Breadcrumb"><ol>
            {above.into_iter().map(|(href, name)| view! { <li><a href=href>{name}</a></li> }).collect_view()}
            <li aria-current="page">{here}</li>
        </ol></nav>
    }
}
