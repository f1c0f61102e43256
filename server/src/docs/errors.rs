//! What each code means and what to do about it.

use std::fmt::Write as _;

use latchkey::outcome::Outcome;

use super::Text;
use crate::problem::Code;

/// The page: the codes of verifications, then the API's own.
pub fn main() -> String {
    let mut html = "<h1>Errors</h1><p>Every error code that Latchkey returns, what it means and how to fix it.</p>\
                    <h2>Verification results</h2><p>Latchkey runs the checks in this order and returns the first that \
                    fails. Return the status to your own client.</p>"
        .to_owned();
    for outcome in Outcome::ALL
        .iter()
        .filter(|outcome| **outcome != Outcome::Valid)
    {
        write_code(
            &mut html,
            outcome.code(),
            outcome.status(),
            outcome.title(),
            outcome.meaning(),
            outcome.advice(),
        );
    }
    html += "<h2>API errors</h2>";
    // A refused preflight has the code of the verification that would be refused.
    for code in Code::ALL
        .iter()
        .filter(|code| **code != Code::OriginNotAllowed)
    {
        let status = code.status().as_u16();
        write_code(
            &mut html,
            code.as_str(),
            status,
            code.title(),
            code.meaning(),
            code.advice(),
        );
    }
    html
}

fn write_code(
    html: &mut String,
    code: &str,
    status: u16,
    title: &str,
    meaning: &str,
    advice: &str,
) {
    let _ = write!(
        html,
        "<section id=\"{code}\"><h3>{}</h3><p><code>{code}</code> {status}</p><p>{}</p><p>{}</p></section>",
        Text(title),
        Text(meaning),
        Text(advice)
    );
}
