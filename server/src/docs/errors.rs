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
        let (meaning, advice) = explain(*outcome);
        write_code(
            &mut html,
            outcome.code(),
            outcome.status(),
            outcome.title(),
            meaning,
            advice,
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

/// What an outcome means, and what to do about it.
fn explain(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Valid => ("The key is valid.", "Nothing."),
        Outcome::MissingApiKey => (
            "The request has no key.",
            "Send the key in a header that this instance accepts, usually `Authorization: Bearer KEY`. Check that no \
             proxy removes the header and that the environment variable with the key is set.",
        ),
        Outcome::InvalidApiKey => (
            "The key does not belong to this service, or it was disabled, revoked or replaced by a rotation.",
            "Check that you copied all of the key, without spaces, quotes or line breaks, and that it belongs to this \
             service. Check its status in the list of keys. You can enable a disabled key; replace a revoked key with \
             a new one. New keys work immediately. Keys that were created by another instance or on the command line \
             work within one second.",
        ),
        Outcome::ExpiredApiKey => (
            "The key has expired.",
            "Create a new key and replace the old one. The list of keys marks keys two weeks before they expire.",
        ),
        Outcome::AgentNotFound => (
            "The request names an agent that does not exist.",
            "Copy the public ID from the agent's page. Check that the agent has not been deleted.",
        ),
        Outcome::OrgMismatch => (
            "The agent and the key belong to different organizations or, if keys are bound to projects, to different \
             projects.",
            "Use a key of the organization or project that owns the agent.",
        ),
        Outcome::OriginNotAllowed => (
            "A page used the key or agent on a site that is not in its allowed domains. Browsers show this as a CORS \
             error.",
            "Add the site to the key's allowed domains, and to the agent's if it has any. If domains do not include \
             subdomains on your instance, add both the apex domain and `www`. The port matters only if the allowed \
             domain has one. The origin tester on the key's page shows which entry allows a site. Requests without \
             Origin and Referer headers are also rejected. Pages opened from a file and some sandboxed frames do not \
             send them.",
        ),
        Outcome::SecretKeyInBrowser => (
            "A browser sent a request with a secret key. Anyone who opens that page can read the key.",
            "Revoke the key, because it has been exposed. In pages, use a widget key, or call your own server and keep \
             the secret key there. An owner can turn this check off in the organization's settings.",
        ),
        Outcome::IpNotAllowed => (
            "The key works only from certain IP addresses. The client's address is not in its IP ranges, or was not \
             sent.",
            "Add the client's public IP address to the key's IP ranges. Check that your API server sends the address \
             of its client, not its own.",
        ),
        Outcome::InsufficientScope => (
            "The key does not have a scope that this operation requires. The response lists the missing scopes.",
            "Use a key with the scope, or add the scope to this key. Give each key only the scopes that it needs.",
        ),
        Outcome::InsufficientCredits => (
            "The organization does not have enough credits for the request.",
            "Add credits and try again. Rejected requests cost nothing.",
        ),
        Outcome::QuotaExceeded => (
            "The organization has reached its monthly quota.",
            "Wait until next month, or change the plan. Rejected requests cost nothing.",
        ),
        Outcome::RateLimited => (
            "The key sent more requests in one minute than its endpoint class allows.",
            "Wait for the number of seconds in Retry-After, then send requests more slowly. Use exponential backoff, \
             and spread bulk work over time.",
        ),
    }
}
