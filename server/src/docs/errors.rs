//! What each code means and what to do about it.

use std::fmt::Write as _;

use latchkey::outcome::Outcome;

use super::Text;
use crate::problem::Code;

/// The page: the codes of verifications, then the API's own.
pub fn main() -> String {
    let mut html = "<h1>Errors</h1><p>Every code that Latchkey answers with, what it means and what to do.</p>\
                    <h2>What a verification decides</h2><p>The checks are made in this order; the first that fails is \
                    the answer. The status is the one that your API gives its own client.</p>"
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
    html += "<h2>What the API itself answers</h2>";
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
        Outcome::Valid => ("The key may pass.", "Nothing."),
        Outcome::MissingApiKey => (
            "The request carried no key.",
            "Send the key in a header that this instance takes, usually `Authorization: Bearer KEY`. Check that a proxy \
             on the way does not strip it, and that the environment variable that holds it is set.",
        ),
        Outcome::InvalidApiKey => (
            "The text is not a key of this service, or the key was disabled, revoked or rotated away.",
            "Check that the key was copied whole, without spaces, quotes or a line end, and that it belongs to this \
             service. Look up its status in the list of keys: a disabled key can be enabled, a revoked one needs a new \
             key. A key works as soon as it is made; one that was made by another instance or at the command line within \
             10 seconds.",
        ),
        Outcome::ExpiredApiKey => (
            "The key is past its expiry.",
            "Make a new key and put it in place of the old one. Keys that are about to expire are marked in the list two \
             weeks before.",
        ),
        Outcome::AgentNotFound => (
            "The request names an agent that does not exist.",
            "Copy the public ID from the agent's page. It may have been deleted.",
        ),
        Outcome::OrgMismatch => (
            "The agent belongs to another organization than the key, or, where keys are bound to projects, to another \
             project.",
            "Use a key of the organization (or project) that owns the agent.",
        ),
        Outcome::OriginNotAllowed => (
            "A page used the key or the agent from a site that is not on the list of allowed domains. Browsers show this \
             as a CORS error.",
            "Add the site to the key's allowed domains, and to the agent's where it has a list. Add the apex and `www` \
             both where your instance does not cover subdomains; the port matters only when the list names one. The \
             origin tester on the key's page says which entry lets a site pass. A request without Origin and Referer is \
             refused as well: pages opened from a file and some sandboxed frames send none.",
        ),
        Outcome::SecretKeyInBrowser => (
            "A secret key came with a request that a browser made. Whoever opens that page can read the key.",
            "Revoke the key: it has been seen. In pages use a widget key, or call your own server and keep the secret \
             key there. An owner can turn this check off in the organization's settings.",
        ),
        Outcome::IpNotAllowed => (
            "The key works from certain addresses only, and the client's is none of them or was not stated.",
            "Add the client's public address to the key's IP ranges, and check that your API server hands the address of \
             its client, not its own, to Latchkey.",
        ),
        Outcome::InsufficientScope => (
            "The key lacks a scope that this operation needs; the answer names it.",
            "Use a key with that scope, or add it to this one. Keys with as few scopes as they need lose you less.",
        ),
        Outcome::InsufficientCredits => (
            "The organization's credits do not cover what the request costs.",
            "Add credits, then try again. The refused request cost nothing.",
        ),
        Outcome::QuotaExceeded => (
            "The organization has used up its monthly quota.",
            "Wait for the next month or change the plan. The refused request cost nothing.",
        ),
        Outcome::RateLimited => (
            "The key made more requests in a minute than its class allows.",
            "Wait for as long as Retry-After says, then go on more slowly: back off exponentially when it happens again, \
             and spread bulk work over time.",
        ),
    }
}
