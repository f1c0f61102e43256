use super::*;

const SUBDOMAINS_COVERED: DomainRule = DomainRule {
    covers_subdomains: true,
    localhost: LocalhostRule::Always,
};
const EXACT: DomainRule = DomainRule {
    covers_subdomains: false,
    localhost: LocalhostRule::IfListed,
};

struct Vector {
    pattern: &'static str,
    origin: Option<&'static str>,
    expected: [&'static str; 2],
}

fn vectors() -> impl Iterator<Item = Vector> {
    let lines = include_str!("origins.tsv").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| {
        let [pattern, origin, covered, exact] = *line.split('\t').collect::<Vec<_>>() else {
            panic!("four columns: {line:?}")
        };
        let origin = match origin {
            "(absent)" => None,
            "(empty)" => Some(""),
            header => Some(header),
        };
        Vector {
            pattern,
            origin,
            expected: [covered, exact],
        }
    })
}

fn patterns(text: &str) -> Vec<DomainPattern> {
    let list = parse_list(text);
    assert_eq!(list.invalid, []);
    list.items
}

fn origin(header: &str) -> Origin<'_> {
    Origin::parse(header).unwrap()
}

#[test]
fn every_vector_holds_under_both_rules() {
    let mut wrong = Vec::new();
    for Vector {
        pattern,
        origin,
        expected,
    } in vectors()
    {
        let answers = [SUBDOMAINS_COVERED, EXACT].map(|rule| {
            let Ok(pattern) = DomainPattern::parse(pattern) else {
                return "R";
            };
            let Ok(origin) = Origin::of_request(origin, None) else {
                return "D";
            };
            if matching(&[pattern], &origin, rule).is_some() {
                "A"
            } else {
                "D"
            }
        });
        if answers != expected {
            wrong.push(format!(
                "{pattern} {origin:?}: {answers:?}, not {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The browser accepts and rejects the same patterns as the server, except where the server's tables are needed.
#[test]
fn the_browsers_check_differs_only_in_what_is_left_to_the_server() {
    for Vector { pattern, .. } in vectors() {
        match (
            DomainPattern::parse_stored(pattern),
            DomainPattern::parse(pattern),
        ) {
            (Err(error), _) if error.is_left_to_server() => {
                assert!(!pattern.is_ascii(), "{pattern}")
            }
            (Ok(_) | Err(PatternError::NoDot(_)), Err(PatternError::PublicSuffix(_)))
            | (_, Err(PatternError::International(_))) => {}
            (browser, server) => assert_eq!(browser, server, "{pattern}"),
        }
    }
}

#[test]
fn the_stored_form_is_canonical() {
    let cases = [
        (" HTTPS://MySite.COM./ ", "https://mysite.com"),
        ("*.MySite.com:8443", "*.mysite.com:8443"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("https://mysite.com:443", "https://mysite.com:443"),
        ("http://[2001:DB8:0:0::1]:80", "http://[2001:db8::1]:80"),
        ("[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        ("LOCALHOST:5173", "localhost:5173"),
        ("127.0.0.1.", "127.0.0.1"),
    ];
    for (typed, stored) in cases {
        assert_eq!(DomainPattern::parse(typed).unwrap().to_string(), stored);
    }
}

#[test]
fn a_refusal_says_why_and_what_to_write() {
    let typed = [
        "",
        "*",
        "my*.com",
        "*.127.0.0.1",
        ".mysite.com",
        "ftp://mysite.com",
        "user@mysite.com",
        "mysite.com/path",
        "mysite.com:http",
        "::1",
        "127.1",
        "mysite..com",
        "-mysite.com",
        &"mysite.".repeat(40),
        "mysite",
        "com",
        "*.com",
        "*.localhost",
        "xn--a.example",
        "github.io",
        "*.co.uk",
        &format!("{}.com", "x".repeat(100)),
    ];
    let sentences =
        typed.map(|text| format!("{text:?}: {}", DomainPattern::parse(text).unwrap_err()));
    insta::assert_snapshot!(sentences.join("\n"));
    let left_to_server = DomainPattern::parse_stored("bücher.example").unwrap_err();
    assert!(left_to_server.is_left_to_server());
    assert_eq!(
        left_to_server.to_string(),
        "International domains are checked when you save."
    );
}

#[test]
fn a_stored_pattern_outlives_a_change_of_the_public_suffix_list() {
    assert_eq!(
        DomainPattern::parse("github.io"),
        Err(PatternError::PublicSuffix("github.io".to_owned()))
    );
    assert_eq!(
        DomainPattern::parse_stored("github.io")
            .unwrap()
            .to_string(),
        "github.io"
    );
}

#[test]
fn a_list_is_read_item_by_item() {
    let list =
        parse_list("mysite.com, https://app.mysite.com\r\n\n*.mysite.com,,MYSITE.com.,com , a b\n");
    let read: Vec<String> = list.items.iter().map(ToString::to_string).collect();
    assert_eq!(
        read,
        ["mysite.com", "https://app.mysite.com", "*.mysite.com"]
    );
    let refused: Vec<&str> = list
        .invalid
        .iter()
        .map(|refused| refused.item.as_str())
        .collect();
    assert_eq!(refused, ["com", "a b"]);
    assert_eq!(parse_list(" ,\n"), crate::list::ParsedList::default());
}

#[test]
fn the_first_pattern_that_covers_is_named() {
    let list = patterns("https://mysite.com, *.mysite.com, www.mysite.com");
    let second = list.get(1).unwrap();
    assert_eq!(
        matching(&list, &origin("http://www.mysite.com"), EXACT),
        Some(Match::Pattern(second))
    );
    assert_eq!(matching(&list, &origin("http://mysite.com"), EXACT), None);
    assert_eq!(
        matching(&[], &origin("http://mysite.com"), SUBDOMAINS_COVERED),
        None
    );
}

#[test]
fn localhost_follows_its_rule() {
    let rule = |localhost| DomainRule {
        covers_subdomains: false,
        localhost,
    };
    let page = origin("http://localhost:5173");
    let listed = patterns("mysite.com, localhost");
    let pattern = listed.get(1).unwrap();
    assert_eq!(
        matching(&listed, &page, rule(LocalhostRule::Always)),
        Some(Match::Localhost)
    );
    assert_eq!(
        matching(&[], &page, rule(LocalhostRule::Always)),
        Some(Match::Localhost)
    );
    assert_eq!(
        matching(&listed, &page, rule(LocalhostRule::IfListed)),
        Some(Match::Pattern(pattern))
    );
    assert_eq!(matching(&[], &page, rule(LocalhostRule::IfListed)), None);
    assert_eq!(matching(&listed, &page, rule(LocalhostRule::Never)), None);
    let elsewhere = origin("https://mysite.com");
    assert!(matching(&listed, &elsewhere, rule(LocalhostRule::Never)).is_some());
}

#[test]
fn patterns_are_texts_in_json() {
    let list = patterns("https://mysite.com, *.bücher.example");
    let json = serde_json::to_string(&list).unwrap();
    assert_eq!(json, r#"["https://mysite.com","*.xn--bcher-kva.example"]"#);
    assert_eq!(
        serde_json::from_str::<Vec<DomainPattern>>(&json).unwrap(),
        list
    );
    let error = serde_json::from_str::<DomainPattern>(r#""com/""#).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Anyone can have a site under `com`."),
        "{error}"
    );
}

#[test]
fn a_host_is_allowed_if_some_page_on_it_is() {
    let listed = patterns("https://shop.example:8443, *.northwind.example, 192.0.2.1");
    let allowed = |rule: DomainRule| {
        let hosts = [
            "shop.example",
            "www.shop.example",
            "a.northwind.example",
            "northwind.example",
            "192.0.2.1",
            "localhost",
            "",
            "a b",
        ];
        let allowed = hosts
            .into_iter()
            .filter(|host| allows_host(&listed, host, rule));
        allowed.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(allowed(EXACT), "shop.example a.northwind.example 192.0.2.1");
    assert_eq!(
        allowed(SUBDOMAINS_COVERED),
        "shop.example www.shop.example a.northwind.example 192.0.2.1 localhost"
    );
}
