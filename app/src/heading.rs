//! The heading of a page, on the server and in the browser.

use leptos::prelude::*;

/// The page's title, a sentence and the page's actions.
#[component]
pub fn Heading(
    #[prop(into)] title: String,
    /// A sentence below the title.
    lead: Option<AnyView>,
    /// An element beside the title, such as a tag.
    beside: Option<AnyView>,
    /// Links and buttons.
    actions: Option<AnyView>,
) -> impl IntoView {
    view! {
        <div class="head">
            <div><h1>{title}" "{beside}</h1>{lead.map(|lead| view! { <p>{lead}</p> })}</div>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
}

/// Breadcrumb navigation: links to the parent pages, then the name of the current page.
#[component]
pub fn Breadcrumbs(
    /// URL and name of each parent page, outermost first.
    above: Vec<(String, String)>,
    /// The name of the current page.
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
