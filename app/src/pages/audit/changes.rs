//! The changes of an audit log entry, in readable form.

use std::fmt;

use leptos::{either::Either, prelude::*};
use serde::{Deserialize, Serialize};

use crate::text::breakable::Breakable;

/// A changed field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeText {
    /// The title of the field.
    pub field: String,
    /// The old value; `None` if only the new value matters, such as a reason.
    pub from: Option<String>,
    /// The new value.
    pub to: String,
    /// The path of the page of what the new value is the ID of, if the reader can open it.
    pub href: Option<String>,
}

impl fmt::Display for ChangeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field, from, to, ..
        } = self;
        match from {
            Some(from) => write!(f, "{field}: {from} → {to}"),
            None => write!(f, "{field}: {to}"),
        }
    }
}

/// A list of changes.
#[component]
pub fn Changes(changes: Vec<ChangeText>) -> impl IntoView {
    let lines = changes
        .into_iter()
        .map(
            |ChangeText {
                 field,
                 from,
                 to,
                 href,
             }| {
                let from = from.map(|from| format!("{from} → "));
                let to = match href {
                    Some(href) => {
                        Either::Left(view! { <a class="link" href=href><Breakable text=to/></a> })
                    }
                    None => Either::Right(view! { <Breakable text=to/> }),
                };
                view! { <li><span class="muted">{field}": "{from}</span>{to}</li> }
            },
        )
        .collect_view();
    view! { <ul class="changes">{lines}</ul> }
}
