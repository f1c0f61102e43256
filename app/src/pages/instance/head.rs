//! The heading of the pages of the Instance area.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::heading::Heading;

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
    view! {
        <Title text=title.clone()/>
        <Heading title lead beside=None actions/>
    }
}
