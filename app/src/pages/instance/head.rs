//! The heading of the pages of the Instance area, with links to the others.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::heading::Heading;

/// The path and title of each page.
const PAGES: [(&str, &str); 6] = [
    ("/instance", "Instance"),
    ("/instance/organizations", "Organizations"),
    ("/instance/people", "People"),
    ("/instance/tokens", "Service tokens"),
    ("/instance/settings", "Settings in effect"),
    ("/instance/log", "Instance log"),
];

#[component]
pub fn InstanceHead(
    #[prop(into)] title: String,
    /// A sentence below the title.
    #[prop(optional, into)]
    lead: Option<AnyView>,
    /// Buttons beside the title.
    #[prop(optional, into)]
    actions: Option<AnyView>,
) -> impl IntoView {
    let here = title.clone();
    let links = PAGES
        .map(|(path, name)| {
            let current = (name == here).then_some("page");
            let name = if path == "/instance" {
                "Overview"
            } else {
                name
            };
            view! { <a href=path aria-current=current>{name}</a> }
        })
        .collect_view();
    view! {
        <Title text=title.clone()/>
        <Heading title lead beside=None actions/>
        <div class="bar"><nav class="seg" aria-label="Instance">{links}</nav></div>
    }
}
