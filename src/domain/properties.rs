//! Properties that hold for every text. Set `PROPTEST_CASES` for a longer run.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// Texts that resemble patterns or origins.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://"),
        Just("http://"),
        Just("://"),
        Just("*."),
        Just("*"),
        Just("mysite.com"),
        Just("com"),
        Just("github.io"),
        Just("localhost"),
        Just("."),
        Just(":"),
        Just(":443"),
        Just(":80"),
        Just(":8443"),
        Just("/"),
        Just("@"),
        Just("\\"),
        Just("["),
        Just("]"),
        Just("::1"),
        Just("2001:db8::"),
        Just("::ffff:127.0.0.1"),
        Just("127.0.0.1"),
        Just("0x7f"),
        Just("08"),
        Just("xn--"),
        Just("xn--bcher-kva"),
        Just("bücher"),
        Just("ß"),
        Just("。"),
        Just("-"),
        Just("_"),
        Just("a"),
        Just("B"),
        Just(" "),
        Just(","),
        Just("%2e"),
        Just("null"),
    ];
    prop_oneof![
        4 => proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "\\PC{0,80}",
    ]
}

/// Names built from a few labels, so that one is often a suffix of another.
fn name() -> impl Strategy<Value = String> {
    let label = prop_oneof![
        Just("a"),
        Just("aa"),
        Just("b"),
        Just("mysite"),
        Just("evilmysite"),
        Just("A")
    ];
    proptest::collection::vec(label, 0..4).prop_map(|labels| {
        labels
            .into_iter()
            .map(|label| format!("{label}."))
            .collect::<String>()
            + "mysite.com"
    })
}

fn rule() -> impl Strategy<Value = DomainRule> {
    let localhost = prop_oneof![
        Just(LocalhostRule::Always),
        Just(LocalhostRule::IfListed),
        Just(LocalhostRule::Never)
    ];
    (any::<bool>(), localhost).prop_map(|(covers_subdomains, localhost)| DomainRule {
        covers_subdomains,
        localhost,
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_a_list_loses_nothing(text in nearly()) {
        let list = parse_list(&text);
        let items = text.split([',', '\n', '\r']).filter(|item| !item.trim().is_empty()).count();
        prop_assert!(list.items.len() + list.invalid.len() <= items);
        prop_assert_eq!(items == 0, list.items.is_empty() && list.invalid.is_empty());
        for refused in list.invalid {
            prop_assert!(refused.error.to_string().chars().count() < 300);
        }
        let _ = Origin::of_request(None, Some(&text));
    }

    #[test]
    fn the_stored_form_is_read_back_as_itself(text in nearly()) {
        if let Ok(pattern) = DomainPattern::parse(&text) {
            let stored = pattern.to_string();
            prop_assert!(stored.is_ascii() && stored == stored.to_ascii_lowercase(), "{stored}");
            prop_assert_eq!(&DomainPattern::parse(&stored), &Ok(pattern.clone()));
            prop_assert_eq!(DomainPattern::parse_stored(&stored), Ok(pattern));
        }
    }

    #[test]
    fn an_origin_is_its_own_serialization(text in nearly()) {
        if let Ok(origin) = Origin::parse(&text) {
            let written = origin.to_string();
            prop_assert_eq!(Origin::parse(&written).map(|origin| origin.to_string()).ok(), Some(written.clone()));
            let default_port = format!(":{}", origin.scheme().default_port());
            let with_port = text.to_ascii_lowercase();
            let mut plain = with_port.clone();
            if origin.port() == origin.scheme().default_port() {
                plain = with_port.strip_suffix(&default_port).unwrap_or(&with_port).to_owned();
            }
            let plain = plain.replace(".:", ":");
            prop_assert_eq!(plain.strip_suffix('.').unwrap_or(&plain), written);
        }
    }

    #[test]
    fn whole_labels_decide(
        base in name(), wildcard: bool, host in name(), rule in rule(), secure: bool,
        scheme in proptest::option::of(any::<bool>()), port in proptest::option::of(Just(8443)),
        at in prop_oneof![Just(""), Just(":8443")],
    ) {
        let word = |secure| if secure { "https" } else { "http" };
        let pattern = format!(
            "{}{}{base}{}",
            scheme.map(|secure| format!("{}://", word(secure))).unwrap_or_default(),
            if wildcard { "*." } else { "" },
            port.map(|port: u16| format!(":{port}")).unwrap_or_default(),
        );
        let pattern = DomainPattern::parse(&pattern).unwrap();
        let header = format!("{}://{host}{at}", word(secure));
        let origin = Origin::parse(&header).unwrap();

        let (base, host) = (base.to_lowercase(), host.to_lowercase());
        let under = host.ends_with(&format!(".{base}"));
        let expected = (if wildcard { under } else { host == base || (rule.covers_subdomains && under) })
            && scheme.is_none_or(|scheme| scheme == secure)
            && (port.is_none() || at == ":8443");
        prop_assert_eq!(matching(&[pattern], &origin, rule).is_some(), expected);
    }

    #[test]
    fn an_index_covers_what_one_of_its_patterns_covers(
        patterns in proptest::collection::vec((name(), any::<bool>(), proptest::option::of(Just(8443))), 0..6),
        list in nearly(), host in name(), header in nearly(), with_subdomains: bool, at in prop_oneof![Just(""), Just(":8443")],
    ) {
        let mut patterns: Vec<DomainPattern> = patterns.into_iter().map(|(name, wildcard, port)| {
            let port = port.map(|port: u16| format!(":{port}")).unwrap_or_default();
            DomainPattern::parse(&format!("{}{name}{port}", if wildcard { "*." } else { "" })).unwrap()
        }).collect();
        patterns.extend(parse_list(&list).items);
        let mut index = PatternIndex::default();
        patterns.iter().for_each(|pattern| index.insert(&Arc::new(pattern.clone()), ()));
        for header in [format!("https://{host}{at}"), header] {
            if let Ok(origin) = Origin::parse(&header) {
                let rule = DomainRule { covers_subdomains: with_subdomains, localhost: LocalhostRule::IfListed };
                prop_assert_eq!(index.covers(&origin, with_subdomains, |()| true), matching(&patterns, &origin, rule).is_some());
            }
        }
    }

    /// An allowed origin is either localhost, by rule, or a listed name or a subdomain of one.
    #[test]
    fn nothing_else_is_allowed(list in nearly(), header in nearly(), rule in rule()) {
        let patterns = parse_list(&list).items;
        if let Ok(origin) = Origin::parse(&header)
            && let Some(allowed) = matching(&patterns, &origin, rule)
        {
            let written = origin.to_string();
            match allowed {
                Match::Localhost => prop_assert!(written.contains("://localhost")),
                Match::Pattern(pattern) => {
                    let pattern = pattern.to_string();
                    let pattern = pattern.split_once("://").map_or(&*pattern, |(_, rest)| rest);
                    let host = pattern.trim_start_matches("*.").split(":8443").next().unwrap();
                    let host = host.trim_end_matches(":443").trim_end_matches(":80");
                    let dotted = format!(".{host}");
                    let authority = written.split_once("://").unwrap().1;
                    let of_name = authority.trim_end_matches(":8443").trim_end_matches(":443").trim_end_matches(":80");
                    prop_assert!(of_name == host || of_name.ends_with(&dotted), "{pattern} {written}");
                }
            }
        }
    }
}
