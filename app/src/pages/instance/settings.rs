//! `/instance/settings`: the settings in effect. They are changed in the settings file or the environment, and never contain
//! secrets here.

use leptos::prelude::*;

use super::head::InstanceHead;
use crate::{error::AppError, pages::page::page, request::PageRequest};

async fn load(request: PageRequest) -> Result<Vec<(&'static str, String)>, AppError> {
    request.operator().await?;
    Ok(request.settings().values.clone())
}

#[component]
pub fn InstanceSettingsPage() -> impl IntoView {
    page(load, |_, values| {
        let lead = "These settings are in effect on the instance that served this page. Change them in its settings file, with environment variables or with flags, then restart it.";
        let rows = values
            .into_iter()
            .map(|(name, value)| {
                let value = if value.is_empty() {
                    view! { <span class="muted">"Not set"</span> }.into_any()
                } else {
                    view! { <code>{value}</code> }.into_any()
                };
                view! { <dt><code>{name}</code></dt><dd class="id">{value}</dd> }
            })
            .collect_view();
        view! {
            <InstanceHead title="Settings in effect" lead=lead.into_any()/>
            <div class="card"><dl class="facts body">{rows}</dl></div>
        }
    })
}
