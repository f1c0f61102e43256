use proptest::prelude::*;

use super::*;
use crate::{domain::Origin, key::text::PlainKey, random::Randomness};

/// What programs make of a key when they write it as a host.
fn rewritings(key: &str) -> Vec<String> {
    let lower = key.to_ascii_lowercase();
    let rewritten = [
        key.to_owned(),
        lower.clone(),
        key.to_ascii_uppercase(),
        lower.replace('_', "-"),
        key.replace('_', "-"),
        lower.replace('_', "."),
        lower.replace('_', ""),
        lower.replace('_', "%5F"),
        lower.replace('_', "%5f"),
        lower.replace('_', "--"),
    ];
    let in_hosts = rewritten.iter().flat_map(|key| {
        [
            key.clone(),
            format!("{key}.example"),
            format!("www.{key}.example"),
            format!("key-{key}.example"),
            format!("{key}-1.example."),
        ]
    });
    in_hosts.collect()
}

/// The random part of a key of one of the built-in conventions.
fn generated(convention: &Convention, number: usize, seed: u64) -> (PlainKey, String) {
    let prefixes: Vec<&str> = convention.prefixes().map(|(prefix, ..)| prefix).collect();
    let prefix = prefixes[number % prefixes.len()];
    let random = usize::from(convention.random_characters);
    let key = PlainKey::generate(prefix, random, &Randomness::seeded(seed)).unwrap();
    let tail = key.expose()[prefix.len()..].to_ascii_lowercase();
    (key, tail)
}

proptest! {
    #[test]
    fn a_key_of_any_convention_is_recognised_in_every_writing(seed: u64, name in 0usize..6, number in 0usize..4) {
        let name = ["latchkey", "cencori", "agentix", "corthex", "chatbot-platform", "talkifai"][name];
        let convention = Convention::built_in(name).unwrap();
        let (key, tail) = generated(&convention, number, seed);
        for text in rewritings(key.expose()) {
            prop_assert!(repeats(&text, key.expose()), "{text}");
            // Where nothing is the prefix, a key without a digit looks like a word.
            let is_like_a_word = tail.len() == 32 && !tail.bytes().any(|byte| byte.is_ascii_digit());
            prop_assert!(is_like_a_word || looks_like_key(&text, &convention), "{name}: {text}");
        }
    }

    #[test]
    fn a_key_that_was_created_elsewhere_is_recognised_in_every_writing(key in "[A-Za-z0-9][A-Za-z0-9._-]{14,60}[A-Za-z0-9]") {
        prop_assume!(folded(&key).count() >= MIN_REPEATED);
        for text in rewritings(&key) {
            prop_assert!(repeats(&text, &key), "{text}");
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,300}", key in "\\PC{0,300}") {
        let convention = Convention::built_in("latchkey").unwrap();
        let _ = (repeats(&text, &key), is_part_of(&text, &key), looks_like_key(&text, &convention));
    }
}

#[test]
fn names_of_sites_scopes_and_clients_are_no_keys() {
    for (convention, texts) in [
        (
            "latchkey",
            &[
                "lk.example",
                "lksk.example",
                "live.lk-sk.example",
                "lk-sk-live-shop.example",
                "lk-sk-live.shop2000.example",
            ][..],
        ),
        (
            "cencori",
            &[
                "census-bureau-statistics.example",
                "cencommunitydevelopment.example",
                "csk-international.example",
                "cpk-shop.example",
                "cen-2000.example",
                "northwind-trading-company-2000.example",
            ][..],
        ),
        (
            "agentix",
            &["agx-live-streaming-platform.example", "agx.example"][..],
        ),
        (
            "talkifai",
            &[
                "shop.example",
                "a-very-long-name-of-a-shop-in-europe-2000.example",
                "tk-widget-demo.example",
            ][..],
        ),
        (
            "latchkey",
            &[
                "conversations:read",
                "python-requests",
                "googleassociationservice",
            ][..],
        ),
    ] {
        let convention = Convention::built_in(convention).unwrap();
        for text in texts {
            assert!(Origin::parse(&format!("https://{text}")).is_ok() || !text.contains('.'));
            assert!(!looks_like_key(text, &convention), "{text}");
            assert!(
                !repeats(text, "lk_sk_live_q66vaguwwjabef0xsvj2gk12yh080abc"),
                "{text}"
            );
        }
    }
}

#[test]
fn hosts_of_previews_and_of_clouds_are_no_keys() {
    let conventions = [
        "latchkey",
        "cencori",
        "agentix",
        "corthex",
        "chatbot-platform",
        "talkifai",
    ];
    for host in [
        "shop-live-2024.example.com",
        "my-app-git-main-team.vercel.app",
        "my-app-a1b2c3d4e-team.vercel.app",
        "a1b2c3d4e5f6g7h8.cloudfront.net",
        "d111111abcdef8.cloudfront.net",
        "64f1c2a3b4d5e6f7a8b9c0d1--shop.netlify.app",
        "550e8400-e29b-41d4-a716-446655440000.previews.example",
        "550e8400e29b41d4a716446655440000.previews.example",
        // The name of the site is a prefix of keys as well.
        "cen-a1b2c3d4e-my-team.vercel.app",
        "cen-git-feature-2024-my-team.vercel.app",
        "64f1c2a3b4d5e6f7a8b9c0d1--csk.netlify.app",
        "csk-a1b2c3d4e5f6.herokuapp.com",
        "csk-a1b2c3d4e5-ew.a.run.app",
        "csk-123456789012.europe-west1.run.app",
        "csk-hjcacxdwgbgjdhfm.westeurope-01.azurewebsites.net",
        "csk-550e8400-e29b-41d4-a716-446655440000.example",
        "lk-sk-live-git-main-team.vercel.app",
        "ctx-live-a1b2c3d4e-my-team.vercel.app",
    ] {
        assert!(Origin::parse(&format!("https://{host}")).is_ok(), "{host}");
        for name in conventions {
            let convention = Convention::built_in(name).unwrap();
            assert!(!looks_like_key(host, &convention), "{name}: {host}");
        }
        assert!(
            !repeats(host, "lk_sk_live_q66vaguwwjabef0xsvj2gk12yh080abc"),
            "{host}"
        );
    }
}

#[test]
fn the_words_that_a_key_begins_with_are_no_part_of_it() {
    let key = "northwind_live_q66vaguwwjabef0xsvj2gk12yh080abc";
    for host in [
        "northwind-live.example",
        "northwind-live-git-main-team.vercel.app",
        "www.northwindlive.example",
    ] {
        assert!(!repeats(host, key), "{host}");
    }
    for host in [
        "northwind-live-q66vaguwwjabef0xsvj2gk12yh080abc.example",
        "q66vaguwwjab.example",
    ] {
        assert!(repeats(host, key), "{host}");
    }
    // What follows is too short to be the key alone.
    assert!(repeats(
        "northwind-live-a1b2c3.example",
        "northwind_live_a1b2c3"
    ));
}

#[test]
fn other_keys_are_recognised_by_their_prefix_and_what_follows() {
    for (convention, text) in [
        ("latchkey", "lk_sk_live_abcdefghijkl"),
        ("latchkey", "lk-sk-live-7z4rabcdefghijklm.example"),
        ("latchkey", "xlksklive7z4rabcdefghijklm.example"),
        ("latchkey", "lk.pk.test.7z4rabcdefghijklm"),
        ("cencori", "cen-7z4rabcdefgh.example"),
        ("cencori", "cen-7z4rab-9efghi.example"),
        ("cencori", "cen_abcdefgh-ijkl.example"),
        ("cencori", "csk7z4rabcdefghijklmnop.example"),
    ] {
        let convention = Convention::built_in(convention).unwrap();
        assert!(looks_like_key(text, &convention), "{text}");
    }
}

#[test]
fn what_is_a_part_of_the_key_or_longer_than_any_is_told() {
    assert!(is_part_of("a1b2c_aa9ce", "A1B2C-AA9CE-G5H6I"));
    assert!(!is_part_of("curl", "curl-A1B2C-AA9CE") && !is_part_of("python-requests", "A1B2C"));
    assert!(repeats(&"a".repeat(MAX_LENGTH + 1), "A1B2C-AA9CE-G5H6I"));
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{}", "a".repeat(MAX_LENGTH));
    assert!(repeats("eyJhbGciOiJI.example", &token) && !repeats("shop.example", &token));
    assert!(!repeats("shop.example", ""));
}
