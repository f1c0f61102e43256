//! The page that explains each error code.

use latchkey::outcome::Outcome;
use leptos::prelude::*;

use crate::{html::with_code, problem::Code};

/// The page: the codes of verifications, then those of the API.
pub fn main() -> AnyView {
    let refusals = Outcome::ALL
        .iter()
        .filter(|outcome| **outcome != Outcome::Valid)
        .map(|outcome| Explained {
            code: outcome.code(),
            status: outcome.status(),
            title: outcome.title(),
            meaning: outcome.meaning(),
            advice: outcome.advice(),
        });
    // A rejected preflight has the same code as a rejected verification, which is listed above.
    let errors = Code::ALL
        .iter()
        .filter(|code| **code != Code::OriginNotAllowed)
        .map(|code| Explained {
            code: code.as_str(),
            status: code.status().as_u16(),
            title: code.title(),
            meaning: code.meaning(),
            advice: code.advice(),
        });
    view! {
        <h1>"Errors"</h1>
        <p>"Every error code that Latchkey returns, what it means and how to fix it."</p>
        <h2>"Verification results"</h2>
        <p>
            "Latchkey runs the checks in this order and returns the first that fails. Return the status to your own client."
        </p>
        {refusals.map(Explained::section).collect_view()}
        <h2>"API errors"</h2>
        {errors.map(Explained::section).collect_view()}
    }
    .into_any()
}

struct Explained {
    code: &'static str,
    status: u16,
    title: &'static str,
    meaning: &'static str,
    advice: &'static str,
}

impl Explained {
    fn section(self) -> AnyView {
        view! {
            <section id=self.code>
                <h3>{self.title}</h3>
                <p><code>{self.code}</code>" "{self.status}</p>
                <p>{with_code(self.meaning)}</p>
                <p>{with_code(self.advice)}</p>
            </section>
        }
        .into_any()
    }
}
