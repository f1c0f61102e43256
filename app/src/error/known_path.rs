//! What of a request's path is repeated in another URL, such as the path to return to after a sign-in. People paste secrets into
//! address bars, and what a secret looks like nobody knows: only what these pages write themselves is repeated.

use latchkey::{
    agents::PublicId,
    audit::EventFilter,
    findings::Code,
    key::{
        Environment, Kind,
        secret_text::{can_name_be_secret, is_id},
    },
    name::Slug,
    outcome::Outcome,
    reviews::Verdict,
    time::{SentInstant, parse_day},
};

use crate::text::query::{is_own_path, query_of};

/// The words in the paths of pages.
const WORDS: [&str; 35] = [
    "account",
    "agents",
    "alerts",
    "asked",
    "audit",
    "delete",
    "edit",
    "find",
    "history",
    "import",
    "instance",
    "keys",
    "log",
    "members",
    "new",
    "organizations",
    "orgs",
    "people",
    "policies",
    "profile",
    "projects",
    "refusals",
    "requests",
    "review",
    "rotate",
    "security",
    "sessions",
    "settings",
    "sign-in",
    "sign-out",
    "sign-up",
    "tokens",
    "two-factor",
    "usage",
    "forgot-password",
];

/// The parameters with filters and places in lists. Searches are texts of their own, which are not repeated.
const PARAMETERS: [&str; 27] = [
    "actor",
    "after",
    "agent",
    "before",
    "by",
    "code",
    "creator",
    "dir",
    "environment",
    "event",
    "finding",
    "from",
    "key",
    "kind",
    "metric",
    "outcome",
    "print",
    "project",
    "range",
    "revoke",
    "show",
    "since",
    "sort",
    "state",
    "status",
    "to",
    "verdict",
];

/// The path to return to, without what can be a secret. Empty if a part of the path is none of the pages' own.
pub fn known_path(next: &str) -> String {
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let is_known = is_own_path(path) && path.len() > 1 && are_known(path);
    if !is_known {
        return if path == "/" {
            path.to_owned()
        } else {
            String::new()
        };
    }
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| PARAMETERS.contains(&&**name) && is_value(value))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    format!("{path}{}", query_of(&pairs))
}

/// Whether each part of the path is a word of a page, the name of an organization in its place, or an ID.
fn are_known(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    parts.iter().enumerate().all(|(place, part)| {
        let is_org = place == 1 && parts[0] == "orgs" && is_name_of_org(part);
        is_org || WORDS.contains(part) || is_of_object(part)
    })
}

/// Whether the text is the name of an organization in URLs, and not a secret that looks like one: programs write keys in lower
/// case and replace underscores.
fn is_name_of_org(text: &str) -> bool {
    text.parse::<Slug>().is_ok() && !can_name_be_secret(text)
}

fn is_of_object(text: &str) -> bool {
    is_id(text) || text.parse::<PublicId>().is_ok()
}

/// Whether the value is an ID, a time, a short number, or one of a list's own words.
fn is_value(value: &str) -> bool {
    let is_number =
        (1..=6).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    is_of_object(value) || is_number || is_time(value) || is_word(value)
}

/// Whether the text is a date, or a time to the millisecond.
fn is_time(text: &str) -> bool {
    parse_day(text).is_some() || (text.len() <= 29 && text.parse::<SentInstant>().is_ok())
}

/// The words of filters that are no words of the API.
const FILTER_WORDS: [&str; 27] = [
    "24h",
    "30d",
    "7d",
    "90d",
    "active",
    "all",
    "asc",
    "asked",
    "attention",
    "created",
    "desc",
    "disabled",
    "ended",
    "expired",
    "expires",
    "high",
    "last-used",
    "low",
    "medium",
    "name",
    "open",
    "requests",
    "reviewed",
    "revoked",
    "since",
    "urgency",
    "used",
];

fn is_word(text: &str) -> bool {
    FILTER_WORDS.contains(&text)
        || Code::ALL.iter().any(|code| code.as_str() == text)
        || text.parse::<EventFilter>().is_ok()
        || text.parse::<Outcome>().is_ok()
        || text.parse::<Verdict>().is_ok()
        || text.parse::<Kind>().is_ok()
        || text.parse::<Environment>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_write_themselves_is_repeated() {
        for next in [
            "/",
            "/account",
            "/account/two-factor",
            "/orgs/northwind",
            "/orgs/northwind/keys",
            "/orgs/northwind/keys?status=active&sort=name&dir=desc",
            "/orgs/northwind/keys/key_0198c0ffee007000800000000000beef/edit",
            "/orgs/northwind/agents/agt_0123456789abcdefghijkl",
            "/orgs/northwind/requests?project=prj_0198c0ffee007000800000000000beef",
            "/orgs/northwind/audit?event=key.created&from=2026-11-20&before=1234",
            "/orgs/northwind/usage?range=30d&outcome=RATE_LIMITED",
            "/orgs/northwind/usage?from=2026-11-20T10%3A00%3A00Z",
            "/orgs/northwind/review?finding=no_expiry",
            "/orgs/northwind/review/history?key=key_0198c0ffee007000800000000000beef&verdict=keep&from=2026-11-01&to=2026-11-30",
        ] {
            assert_eq!(known_path(next), next);
        }
    }

    #[test]
    fn nothing_that_can_be_a_secret_is_repeated_wherever_it_is() {
        for secret in [
            "0123456789abcdef0123456789ab",
            "AbCdEf0123456789",
            "k7AA9C-9f3a2b1c-4d5e6f7a",
            "A1B2C-AA9CE-G5H6I-J7K8L",
            "sk_live_4242",
            "hunter2",
            "passwordpassword",
            "123456789012",
            "2026-11-20T10:00:00.123456789123Z",
            "key_0198c0ffee007000800000000000bee",
            "%61%62%63%64",
        ] {
            for (next, kept) in [
                (format!("/{secret}"), ""),
                (format!("/orgs/northwind/keys/{secret}"), ""),
                (format!("/orgs/northwind/{secret}/keys"), ""),
                (
                    format!("/orgs/northwind/keys/{secret}/edit?status=active"),
                    "",
                ),
                (
                    format!("/orgs/northwind/keys?{secret}"),
                    "/orgs/northwind/keys",
                ),
                (
                    format!("/orgs/northwind/keys?x={secret}"),
                    "/orgs/northwind/keys",
                ),
                (
                    format!("/orgs/northwind/keys?q={secret}&kind=secret"),
                    "/orgs/northwind/keys?kind=secret",
                ),
                (
                    format!("/orgs/northwind/keys?status={secret}&after={secret}"),
                    "/orgs/northwind/keys",
                ),
                (format!("/account#{secret}"), ""),
                (format!("https://{secret}/keys"), ""),
            ] {
                assert_eq!(known_path(&next), kept, "{next}");
            }
        }
        // An organization can be called `hunter2`, but not like this.
        for secret in [
            "0123456789abcdef0123456789ab",
            "k7aa9c-9f3a2b1c-4d5e6f7a",
            "a1b2c-aa9ce-g5h6i-j7k8l",
            "lk-sk-live-q66vaguwwjabef0xsvj2gk12",
            "csk-q66vaguwwjabef0xsvj2gk12yh080abc",
            "qvaguwwjabefxsvjgkyhabcdefgh",
            "5f4dcc3b-5aa7-65d6-1d83-27deb882cf99",
            "LK-SK-LIVE-Q66VAGUWWJABEF0XSVJ2GK12",
            "lk_sk_live_q66vaguwwjabef0xsvj2gk12",
            "lk%5Fsk%5Flive%5Fq66vaguwwjabef0xsvj2gk12",
        ] {
            for rest in ["", "/keys", "/keys/new?status=active"] {
                assert_eq!(known_path(&format!("/orgs/{secret}{rest}")), "");
            }
        }
        for next in ["//keys", "/\\keys", "", "keys", "/keys/", "/orgs//keys"] {
            assert_eq!(known_path(next), "", "{next}");
        }
    }
}
