//! Which facts lead to which findings.

use super::*;
use crate::{
    convention::{Convention, Scope},
    key::{Environment, Kind, Lifecycle},
    policy::KeyPolicy,
    time::{DAY, Timestamp},
};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn ago(days: i64) -> Timestamp {
    NOW.plus(-days * DAY)
}

/// A key with nothing to look at.
fn fine() -> Facts {
    Facts {
        kind: Kind::Secret,
        environment: Environment::Live,
        created_at: ago(20),
        last_used_at: Some(ago(0)),
        lifecycle: Lifecycle {
            expires_at: Some(NOW.plus(100 * DAY)),
            disabled_at: None,
            revoked_at: None,
        },
        scopes: vec!["bots:read".parse().unwrap()],
        localhost_forbidden: true,
        lists_localhost: false,
        lists_loopback: Vec::new(),
        has_ip_ranges: false,
        secret_created_at: ago(20),
        maker_left: false,
        in_browser: Vec::new(),
        reported: None,
        refused: Refused::default(),
        scopes_seen: Vec::new(),
        kept: None,
    }
}

fn codes(change: impl FnOnce(&mut Facts)) -> String {
    codes_under(KeyPolicy::default(), change)
}

fn codes_under(policy: KeyPolicy, change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = fine();
    change(&mut facts);
    let convention = Convention::built_in("latchkey").unwrap();
    let found = findings(&facts, &Policy::of(&convention, policy), NOW);
    let words = found
        .iter()
        .map(|finding| format!("{} {}", finding.severity, finding.code));
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn each_code_has_its_threshold() {
    assert_eq!(codes(|_| ()), "");
    let unused = |days: i64| codes(move |facts| facts.last_used_at = Some(ago(days)));
    assert_eq!(
        [29, 30, 89, 90].map(unused),
        ["", "low unused_30d", "low unused_30d", "medium unused_90d"]
    );
    let never = |days: i64| {
        codes(move |facts| {
            facts.last_used_at = None;
            facts.created_at = ago(days);
        })
    };
    assert_eq!(
        [6, 7, 29, 30].map(never),
        ["", "low never_used", "low never_used", "medium never_used"]
    );
    let secret = |days: i64| codes(move |facts| facts.secret_created_at = ago(days));
    assert_eq!([89, 90].map(secret), ["", "low rotation_due"]);
    let expires = |days: i64| codes(move |facts| facts.lifecycle.expires_at = Some(ago(-days)));
    assert_eq!([15, 14, 0].map(expires), ["", "medium expires_soon", ""]);
    assert_eq!(
        codes(|facts| facts.lifecycle.expires_at = None),
        "low no_expiry"
    );
    assert_eq!(codes(|facts| facts.maker_left = true), "medium maker_left");
    let refused = |count: i64| {
        codes(move |facts| {
            facts.kind = Kind::Widget;
            facts.refused.count = count;
        })
    };
    assert_eq!([9, 10].map(refused), ["", "medium refused_origins"]);
}

#[test]
fn scopes_and_localhost_depend_on_the_convention() {
    assert_eq!(codes(|facts| facts.scopes.clear()), "low full_access");
    assert_eq!(
        codes(|facts| facts.scopes = vec!["admin".parse().unwrap()]),
        "low full_access"
    );
    let widget = |facts: &mut Facts| {
        facts.kind = Kind::Widget;
        facts.localhost_forbidden = false;
        facts.scopes.clear();
    };
    assert_eq!(codes(widget), "medium full_access, low localhost_live");
    let aged = |days: i64| {
        codes(move |facts| {
            widget(facts);
            facts.created_at = ago(days);
            facts.last_used_at = None;
        })
    };
    assert_eq!(
        [0, 6, 7].map(aged),
        [
            "low full_access",
            "low full_access",
            "low full_access, low localhost_live, low never_used"
        ]
    );
    let of = |name: &str, facts: &Facts| {
        let convention = Convention::built_in(name).unwrap();
        let policy = Policy::of(&convention, KeyPolicy::default());
        findings(facts, &policy, NOW).len()
    };
    let mut listed = fine();
    widget(&mut listed);
    assert_eq!(
        of("cencori", &listed),
        0,
        "no scopes, and localhost is not listed"
    );
    listed.lists_localhost = true;
    assert_eq!(of("cencori", &listed), 1);
}

#[test]
fn a_live_key_works_on_localhost_and_on_the_loopback_hosts_that_it_lists() {
    let origins = |name: &str, facts: &Facts| {
        let convention = Convention::built_in(name).unwrap();
        let policy = Policy::of(&convention, KeyPolicy::default());
        let found = findings(facts, &policy, NOW).into_iter();
        let mut found = found.filter(|finding| finding.code == Code::LocalhostLive);
        found.next().map(|finding| finding.evidence.origins)
    };
    let mut facts = Facts {
        kind: Kind::Widget,
        lists_loopback: vec!["127.0.0.1".to_owned(), "http://[::1]:3000".to_owned()],
        ..fine()
    };
    let listed = Some(facts.lists_loopback.clone());
    // No rule and no switch concerns them.
    for convention in ["latchkey", "cencori", "chatbot-platform"] {
        assert_eq!(origins(convention, &facts), listed, "{convention}");
    }
    facts.localhost_forbidden = false;
    let all = ["localhost", "127.0.0.1", "http://[::1]:3000"].map(str::to_owned);
    assert_eq!(origins("latchkey", &facts), Some(all.to_vec()));
    facts.environment = Environment::Test;
    assert_eq!(origins("latchkey", &facts), None);
}

#[test]
fn policies_set_borders_and_raise_what_they_forbid() {
    let off = KeyPolicy {
        rotation_days: None,
        ..KeyPolicy::default()
    };
    let rotation = |days: i64| {
        let policy = KeyPolicy {
            rotation_days: Some(30),
            ..off
        };
        codes_under(policy, move |facts| facts.secret_created_at = ago(days))
    };
    assert_eq!([29, 30].map(rotation), ["", "low rotation_due"]);
    assert_eq!(
        codes_under(off, |facts| facts.secret_created_at = ago(900)),
        ""
    );

    let life = KeyPolicy {
        longest_life_days: Some(60),
        ..off
    };
    let latest = life.latest_expiry(NOW).unwrap();
    let expiring = |at| codes_under(life, move |facts| facts.lifecycle.expires_at = at);
    assert_eq!(expiring(Some(latest)), "");
    assert_eq!(expiring(Some(latest.plus(1))), "medium too_long_life");
    assert_eq!(expiring(None), "medium no_expiry");

    let scopes = KeyPolicy {
        scopes_required: true,
        ..off
    };
    assert_eq!(
        codes_under(scopes, |facts| facts.scopes.clear()),
        "medium full_access"
    );

    let ranges = KeyPolicy {
        ip_ranges_required: true,
        ..off
    };
    assert_eq!(codes_under(ranges, |_| ()), "medium no_ip_ranges");
    assert_eq!(codes_under(ranges, |facts| facts.has_ip_ranges = true), "");
    assert_eq!(
        codes_under(ranges, |facts| facts.environment = Environment::Test),
        ""
    );
    assert_eq!(codes_under(ranges, |facts| facts.kind = Kind::Widget), "");

    let localhost = KeyPolicy {
        localhost_forbidden: true,
        ..off
    };
    let allowed = |environment| {
        codes_under(localhost, move |facts| {
            facts.kind = Kind::Widget;
            facts.environment = environment;
            facts.localhost_forbidden = false;
            facts.created_at = NOW;
        })
    };
    assert_eq!(
        [Environment::Live, Environment::Test].map(allowed),
        ["medium localhost_live", ""]
    );
}

#[test]
fn no_new_key_needs_attention() {
    for convention in crate::convention::BUILT_IN_NAMES {
        let rules = Convention::built_in(convention).unwrap();
        let policy = Policy::of(&rules, KeyPolicy::default());
        for kind in Kind::ALL {
            let new = Facts {
                kind: *kind,
                created_at: NOW,
                secret_created_at: NOW,
                last_used_at: None,
                lifecycle: Lifecycle {
                    expires_at: None,
                    ..fine().lifecycle
                },
                scopes: Vec::new(),
                localhost_forbidden: false,
                lists_localhost: true,
                ..fine()
            };
            let found = findings(&new, &policy, NOW);
            let urgent = found
                .iter()
                .find(|finding| finding.severity.needs_attention());
            assert_eq!(urgent, None, "{convention} {kind}");
        }
    }
}

/// A secret that a browser sent, created and ended so many days ago.
fn leak(created: i64, ends: Option<Timestamp>) -> InBrowser {
    InBrowser {
        secret_created_at: ago(created),
        secret_ends_at: ends,
        first_at: ago(created - 1),
        last_at: ago(0),
        count: 12,
        origin: "https://shop.example".to_owned(),
    }
}

#[test]
fn a_leak_lasts_until_the_secret_that_leaked_no_longer_works() {
    let leaked = |ends: Option<Timestamp>| {
        codes(move |facts| {
            facts.secret_created_at = if ends.is_some() { ago(2) } else { ago(20) };
            facts.in_browser = vec![leak(20, ends)];
        })
    };
    assert_eq!(leaked(None), "high seen_in_browser");
    assert_eq!(
        [NOW.plus(1), NOW].map(|end| leaked(Some(end))),
        ["high seen_in_browser", ""],
        "the end of the overlap"
    );
    assert_eq!(
        codes(|facts| {
            facts.in_browser = vec![leak(20, None)];
            facts.lifecycle.disabled_at = Some(ago(1));
        }),
        "",
        "only working keys have findings"
    );
    let convention = Convention::built_in("latchkey").unwrap();
    let evidence = |leaks: Vec<InBrowser>| {
        let facts = Facts {
            in_browser: leaks,
            ..fine()
        };
        let policy = Policy::of(&convention, KeyPolicy::default());
        findings(&facts, &policy, NOW).remove(0).evidence
    };
    let end = NOW.plus(DAY);
    let old = evidence(vec![leak(20, Some(end))]);
    assert_eq!((old.requests, old.works_until), (Some(12), Some(end)));
    let both = evidence(vec![leak(20, Some(end)), leak(2, None)]);
    assert_eq!((both.requests, both.works_until), (Some(24), None));
    let ended = evidence(vec![leak(20, Some(NOW)), leak(2, None)]);
    assert_eq!((ended.requests, ended.works_until), (Some(12), None));
}

#[test]
fn a_report_of_a_leak_is_urgent_and_no_earlier_review_covers_it() {
    let reported = Some(Reported {
        at: ago(1),
        ends_at: None,
    });
    assert_eq!(
        codes(|facts| facts.reported = reported),
        "high reported_leaked"
    );
    let facts = Facts {
        reported,
        kept: Some(Kept {
            at: ago(3),
            until: NOW.plus(DAY),
            codes: vec![Code::ReportedLeaked],
        }),
        ..fine()
    };
    let convention = Convention::built_in("latchkey").unwrap();
    let policy = Policy::of(&convention, KeyPolicy::default());
    let found = findings(&facts, &policy, NOW);
    assert_eq!(found[0].reviewed_until, None);
}

#[test]
fn scopes_that_no_request_required_are_named() {
    let convention = Convention::built_in("latchkey").unwrap();
    let policy = Policy::of(&convention, KeyPolicy::default());
    let scopes =
        |names: &[&str]| -> Vec<Scope> { names.iter().map(|name| name.parse().unwrap()).collect() };
    let unused = |days: i64, has: &[&str], seen: &[&str]| {
        let facts = Facts {
            created_at: ago(days),
            scopes: scopes(has),
            scopes_seen: scopes(seen),
            ..fine()
        };
        let found = findings(&facts, &policy, NOW);
        let found = found
            .iter()
            .find(|finding| finding.code == Code::ScopesUnused);
        found.map_or(String::new(), |finding| finding.evidence.scopes.join(" "))
    };
    let has = ["bots:read", "bots:write", "channels:read"];
    assert_eq!(unused(29, &has, &["bots:read"]), "");
    assert_eq!(unused(30, &has, &["bots:read"]), "bots:write channels:read");
    assert_eq!(unused(30, &has, &has), "");
    assert_eq!(
        unused(30, &has, &[]),
        "",
        "the application may not send scopes"
    );
    assert_eq!(
        unused(30, &has, &["channels:write"]),
        "",
        "a scope that was removed"
    );
    assert_eq!(
        unused(30, &["admin", "bots:read"], &["bots:read"]),
        "",
        "full access is another finding"
    );
}

#[test]
fn a_review_covers_what_was_found_until_its_date() {
    let convention = Convention::built_in("latchkey").unwrap();
    let policy = Policy::of(&convention, KeyPolicy::default());
    let open = |at: i64, until: Timestamp, seen: &[Code], secret: i64| {
        let facts = Facts {
            maker_left: true,
            lifecycle: Lifecycle {
                expires_at: None,
                ..fine().lifecycle
            },
            secret_created_at: ago(secret),
            in_browser: vec![leak(secret, None)],
            kept: Some(Kept {
                at: ago(at),
                until,
                codes: seen.to_vec(),
            }),
            ..fine()
        };
        let found = findings(&facts, &policy, NOW);
        let open = found
            .iter()
            .filter(|finding| finding.reviewed_until.is_none());
        open.map(|finding| finding.code.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let all = [Code::SeenInBrowser, Code::MakerLeft, Code::NoExpiry];
    let later = NOW.plus(1);
    assert_eq!(open(1, later, &all, 20), "");
    assert_eq!(
        open(1, NOW, &all, 20),
        "seen_in_browser maker_left no_expiry",
        "its date has passed"
    );
    assert_eq!(
        open(1, later, &all[1..], 20),
        "seen_in_browser",
        "a new finding"
    );
    assert_eq!(
        open(3, later, &all, 2),
        "seen_in_browser",
        "a leak of a newer secret"
    );
}

#[test]
fn words_are_read_back() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert!(code.advice().ends_with('.'));
    }
    assert!("everything".parse::<Code>().is_err());
}
