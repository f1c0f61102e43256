//! What an entry says is different, as people read it.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A field that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeText {
    /// The field's name.
    pub field: String,
    /// What it was; `None` where only the new value says something, such as a reason.
    pub from: Option<String>,
    /// What it became.
    pub to: String,
}

impl fmt::Display for ChangeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, from, to } = self;
        match from {
            Some(from) => write!(f, "{field}: {from} → {to}"),
            None => write!(f, "{field}: {to}"),
        }
    }
}

/// Changes, one on each line.
#[component]
pub fn Changes(changes: Vec<ChangeText>) -> impl IntoView {
    let lines = changes
        .into_iter()
        .map(|ChangeText { field, from, to }| {
            let from = from.map(|from| format!("{from} → "));
            view! { <li><span class="muted">{field}": "{from}</span>{to}</li> }
        })
        .collect_view();
    view! { <ul class="changes">{lines}</ul> }
}
