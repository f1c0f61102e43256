//! What a change of a key's settings restricts, from its entry in the audit log.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    convention::{Convention, Scope},
    domain::DomainPattern,
    ip_range::IpRange,
    key::settings::KeySettings,
    time::Timestamp,
};

use super::Aspect;

/// The aspects in which a key with these changes, by field, can do less than before.
pub(super) fn narrowed(changes: &Map<String, Value>, convention: &Convention) -> Vec<Aspect> {
    let has_less = |aspect: &Aspect| match aspect {
        Aspect::Scopes => both::<Vec<Scope>>(changes, "scopes")
            .is_some_and(|(from, to)| fewer_scopes(convention, &from, &to)),
        Aspect::Expiry => both::<Option<i64>>(changes, "expires_at")
            .is_some_and(|(from, to)| to.is_some_and(|to| from.is_none_or(|from| to < from))),
        Aspect::IpRanges => both::<Vec<IpRange>>(changes, "ip_ranges")
            .is_some_and(|(from, to)| fewer_addresses(&from, &to)),
        Aspect::Domains => both::<Vec<String>>(changes, "domains").is_some_and(|(from, to)| {
            to.len() < from.len() && to.iter().all(|domain| from.contains(domain))
        }),
        Aspect::Localhost => {
            let listed = both::<Vec<String>>(changes, "domains");
            both::<bool>(changes, "localhost_forbidden") == Some((false, true))
                || listed.is_some_and(|(from, to)| lists_localhost(&from) && !lists_localhost(&to))
        }
        Aspect::Leaked => false,
    };
    Aspect::ALL.into_iter().filter(has_less).collect()
}

/// Whether a key with the settings `now` can again do all that these changes, which narrowed it, took from it in this aspect.
pub(super) fn is_put_back(
    aspect: Aspect,
    changes: &Map<String, Value>,
    now: &KeySettings,
    convention: &Convention,
) -> bool {
    match aspect {
        Aspect::Scopes => both::<Vec<Scope>>(changes, "scopes").is_some_and(|(from, _)| {
            let has_all = from.iter().all(|scope| now.scopes.contains(scope));
            convention.is_full_access(&now.scopes) || (has_all && !convention.is_full_access(&from))
        }),
        Aspect::Expiry => both::<Option<i64>>(changes, "expires_at").is_some_and(|(from, _)| {
            match now.expires_at {
                Some(now) => from.is_some_and(|from| now.as_millis() >= from),
                None => true,
            }
        }),
        Aspect::IpRanges => both::<Vec<IpRange>>(changes, "ip_ranges").is_some_and(|(from, _)| {
            let has_all = from.iter().all(|range| covers(&now.ip_ranges, range));
            now.ip_ranges.is_empty() || (has_all && !from.is_empty())
        }),
        Aspect::Domains => both::<Vec<String>>(changes, "domains")
            .is_some_and(|(from, _)| from.iter().all(|domain| texts(now).contains(domain))),
        Aspect::Localhost => {
            let was_listed = both::<Vec<String>>(changes, "domains")
                .is_some_and(|(from, to)| lists_localhost(&from) && !lists_localhost(&to));
            !now.localhost_forbidden && (!was_listed || lists_localhost(&texts(now)))
        }
        Aspect::Leaked => false,
    }
}

/// Whether a key with the settings `now` has none of the domains that these changes added.
pub(super) fn are_gone(changes: &Map<String, Value>, now: &KeySettings) -> bool {
    both::<Vec<String>>(changes, "domains").is_some_and(|(from, to)| {
        let mut added = to.iter().filter(|domain| !from.contains(domain)).peekable();
        let now = texts(now);
        added.peek().is_some() && added.all(|domain| !now.contains(domain))
    })
}

/// The domains of a key, as the log has them.
fn texts(settings: &KeySettings) -> Vec<String> {
    settings.domains.iter().map(ToString::to_string).collect()
}

/// Whether a change allows a domain that was not allowed before.
pub(super) fn adds_domains(changes: &Map<String, Value>) -> bool {
    let domains = both::<Vec<String>>(changes, "domains");
    domains.is_some_and(|(from, to)| to.iter().any(|domain| !from.contains(domain)))
}

/// Whether a key with these changes expires later than before, or no longer at all.
pub(super) fn extends(changes: &Map<String, Value>) -> bool {
    let expiry = both::<Option<i64>>(changes, "expires_at");
    expiry.is_some_and(|(from, to)| from.is_some_and(|from| to.is_none_or(|to| to > from)))
}

/// Whether a key with the settings `now` again expires as early as before these changes.
pub(super) fn is_as_short(changes: &Map<String, Value>, now: &KeySettings) -> bool {
    let expiry = both::<Option<i64>>(changes, "expires_at");
    let now = now.expires_at.map(Timestamp::as_millis);
    expiry.is_some_and(|(from, _)| now.is_some_and(|now| from.is_some_and(|from| now <= from)))
}

/// The values of a field before and after, if it was changed.
fn both<T: DeserializeOwned>(changes: &Map<String, Value>, field: &str) -> Option<(T, T)> {
    let side = |side: &str| {
        let value = changes.get(field)?.get(side)?;
        serde_json::from_value(value.clone()).ok()
    };
    Some((side("from")?, side("to")?))
}

/// Whether a key with the scopes `to` is allowed to do less than one with `from`, and nothing else.
fn fewer_scopes(convention: &Convention, from: &[Scope], to: &[Scope]) -> bool {
    if convention.is_full_access(to) {
        return false;
    }
    let is_part = to.len() < from.len() && to.iter().all(|scope| from.contains(scope));
    is_part || convention.is_full_access(from)
}

/// Whether a key works from fewer addresses, and from no others. No ranges stand for all addresses.
fn fewer_addresses(from: &[IpRange], to: &[IpRange]) -> bool {
    let is_part = !to.is_empty() && to.iter().all(|range| covers(from, range));
    is_part && (from.is_empty() || !from.iter().all(|range| covers(to, range)))
}

/// Whether all addresses of a range are in these ranges.
fn covers(all: &[IpRange], one: &IpRange) -> bool {
    all.is_empty() || all.iter().any(|of| of.covers(one))
}

/// Whether patterns include localhost or another loopback host.
fn lists_localhost(patterns: &[String]) -> bool {
    let read = patterns
        .iter()
        .map(|text| DomainPattern::parse_stored(text));
    read.flatten().any(|pattern| pattern.is_loopback())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(field: &str, from: Value, to: Value) -> String {
        let convention = Convention::built_in("latchkey").unwrap();
        let change = json!({ field: {"from": from, "to": to} });
        let aspects = narrowed(change.as_object().unwrap(), &convention);
        let words: Vec<&str> = aspects.into_iter().map(Aspect::as_str).collect();
        words.join(" ")
    }

    #[test]
    fn fewer_scopes_are_narrower_and_no_scope_is_everything() {
        let scopes = |from: &[&str], to: &[&str]| of("scopes", json!(from), json!(to));
        assert_eq!(
            scopes(&["bots:read", "bots:write"], &["bots:read"]),
            "scopes"
        );
        assert_eq!(scopes(&[], &["bots:read"]), "scopes", "no scope means all");
        assert_eq!(scopes(&["admin"], &["bots:read", "bots:write"]), "scopes");
        for (from, to) in [
            (&["bots:read"][..], &[][..]),
            (&["bots:read"], &["bots:read"]),
            (&["bots:read"], &["bots:read", "bots:write"]),
            (&["bots:read", "bots:write"], &["analytics:read"]),
            (&["bots:read", "bots:write"], &["admin"]),
            (&["admin"], &[]),
        ] {
            assert_eq!(scopes(from, to), "", "{from:?} {to:?}");
        }
    }

    #[test]
    fn a_domain_that_was_not_there_is_added() {
        let adds = |from: &[&str], to: &[&str]| {
            let change = json!({ "domains": {"from": from, "to": to} });
            adds_domains(change.as_object().unwrap())
        };
        assert!(
            adds(&["a.example"], &["a.example", "b.example"])
                && adds(&["a.example"], &["b.example"])
        );
        assert!(!adds(&["a.example", "b.example"], &["b.example"]) && !adds(&[], &[]));
        assert!(!adds_domains(
            json!({ "name": {"from": "A", "to": "B"} })
                .as_object()
                .unwrap()
        ));
    }

    #[test]
    fn an_earlier_expiry_is_narrower() {
        let expiry = |from: Value, to: Value| of("expires_at", from, to);
        assert_eq!(expiry(Value::Null, json!(5)), "expiry");
        assert_eq!(expiry(json!(5), json!(4)), "expiry");
        assert_eq!(expiry(json!(5), json!(6)), "");
        assert_eq!(expiry(json!(5), Value::Null), "");
        let extends = |from: Value, to: Value| {
            let change = json!({ "expires_at": {"from": from, "to": to} });
            extends(change.as_object().unwrap())
        };
        assert!(extends(json!(5), json!(6)) && extends(json!(5), Value::Null));
        assert!(!extends(json!(5), json!(4)) && !extends(Value::Null, json!(6)));
    }

    #[test]
    fn fewer_addresses_are_narrower_and_no_range_is_everything() {
        let ranges = |from: &[&str], to: &[&str]| of("ip_ranges", json!(from), json!(to));
        assert_eq!(ranges(&[], &["192.0.2.10"]), "ip_ranges");
        assert_eq!(
            ranges(&["10.0.0.0/8", "192.0.2.10"], &["10.0.0.0/8"]),
            "ip_ranges"
        );
        assert_eq!(ranges(&["10.0.0.0/8"], &["10.1.0.0/16"]), "ip_ranges");
        for (from, to) in [
            (&["192.0.2.10"][..], &[][..]),
            (&["10.1.0.0/16"], &["10.0.0.0/8"]),
            (&["192.0.2.10"], &["192.0.2.10", "192.0.2.11"]),
            (&["192.0.2.10"], &["2001:db8::/32"]),
            (&["10.0.0.0/8"], &["10.0.0.0/8", "10.1.0.0/16"]),
        ] {
            assert_eq!(ranges(from, to), "", "{from:?} {to:?}");
        }
    }

    #[test]
    fn fewer_domains_are_narrower_and_localhost_is_one_of_them() {
        let domains = |from: &[&str], to: &[&str]| of("domains", json!(from), json!(to));
        assert_eq!(
            domains(&["a.example", "b.example"], &["b.example"]),
            "domains"
        );
        assert_eq!(domains(&["a.example"], &["b.example"]), "");
        assert_eq!(domains(&["a.example"], &["a.example", "b.example"]), "");
        assert_eq!(
            domains(&["a.example", "http://localhost:3000"], &["a.example"]),
            "domains localhost"
        );
        assert_eq!(
            domains(&["a.example", "localhost"], &["b.example"]),
            "localhost"
        );
        assert_eq!(
            domains(&["127.0.0.1:3000", "a.example"], &["a.example"]),
            "domains localhost"
        );
        assert_eq!(
            domains(&["localhost.example", "a.example"], &["a.example"]),
            "domains"
        );
        assert_eq!(
            of("localhost_forbidden", json!(false), json!(true)),
            "localhost"
        );
        assert_eq!(of("localhost_forbidden", json!(true), json!(false)), "");
        assert_eq!(of("name", json!("A"), json!("B")), "");
    }
}
