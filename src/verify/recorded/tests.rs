use proptest::prelude::*;

use super::*;
use crate::{convention::Convention, random::Randomness};

#[test]
fn what_contains_the_key_itself_or_is_most_of_it_is_not_recorded() {
    let scopes = [
        "bots:read".parse().unwrap(),
        "k7aa9c-9f3a2b".parse().unwrap(),
    ];
    for sent in [
        "k7aa9c-9f3a2b",
        " k7aa9c-9f3a2b\n",
        "k7aa9c-9f3a2b1",
        "7aa9c-9f3a2b",
        "k7aa9c-9f3a2bk7aa9c-9f3a2b",
        "k7aa9c_9f3a2b",
        "K7AA9C%2D9F3A2B",
    ] {
        let key = PlainKey::from(sent.to_owned());
        let recorded = |origin, referer, scopes| {
            let request = Request {
                key: Some(&key),
                origin,
                referer,
                scopes,
                user_agent: Some("k7aa9c-9f3a2b/1"),
                ..Request::default()
            };
            let recorded = Received::of(&request).without_keys(|_| false);
            assert_eq!(recorded.client, None, "{sent}");
            let origin = recorded.origin.map(|origin| origin.to_string());
            (origin, recorded.scopes.len())
        };
        let origin = Some("https://K7AA9C-9f3a2b.example");
        assert_eq!(recorded(origin, None, &scopes), (None, 0), "{sent}");
        assert_eq!(recorded(None, origin, &scopes), (None, 0), "{sent}");
        let referer = Some("https://shop.example/k7aa9c");
        let expected = (Some("https://shop.example".to_owned()), 1);
        assert_eq!(recorded(None, referer, &scopes[..1]), expected, "{sent}");
    }
}

#[test]
fn what_is_in_the_key_itself_is_no_client() {
    let of = |key: &str, header: &str| {
        let key = PlainKey::from(key.to_owned());
        let request = Request {
            key: Some(&key),
            user_agent: Some(header),
            ..Request::default()
        };
        let recorded = Received::of(&request).without_keys(|_| false);
        recorded.client.map(str::to_owned)
    };
    assert_eq!(of("A1B2C-AA9CE-G5H6I", "a1b2c-aa9ce-g5h6i/1"), None);
    assert_eq!(of("A1B2C-AA9CE-G5H6I", "AA9CE_G5H6I"), None);
    assert_eq!(of("curl-A1B2C-AA9CE", "curl/8"), Some("curl".to_owned()));
    let requests = Some("python-requests".to_owned());
    assert_eq!(of("A1B2C", "python-requests/2"), requests);
}

proptest! {
    #[test]
    fn nothing_recorded_contains_the_random_part_of_a_key_however_it_was_rewritten(
        seed: u64,
        own: bool,
        separator in prop::sample::select(vec!["_", "-", ".", "", "--"]),
        (upper, from_referer) in any::<(bool, bool)>(),
        (before, after) in ("([a-z0-9]{1,7}[.-])?", "(-[a-z0-9]{1,7})?"),
    ) {
        let convention = Convention::built_in("latchkey").unwrap();
        let random = Randomness::seeded(seed);
        let key = PlainKey::generate("lk_sk_live_", 26, &random).unwrap();
        let other = PlainKey::generate("lk_pk_test_", 26, &random).unwrap();
        let sent = if own { &key } else { &other };
        let tail = key.expose()["lk_sk_live_".len()..].to_ascii_lowercase();
        let rewritten = key.expose().replace('_', separator);
        let rewritten = if upper { rewritten.to_ascii_uppercase() } else { rewritten.to_ascii_lowercase() };
        let page = format!("https://{before}{rewritten}{after}.example");
        let with_path = format!("{page}/path");
        let scopes = [key.expose().to_ascii_lowercase().replace('_', "-").parse().unwrap()];
        let agent = format!("{}/1", &rewritten[..rewritten.len().min(31)]);
        let request = Request {
            key: Some(sent),
            origin: Some(&*page).filter(|_| !from_referer),
            referer: Some(&*with_path),
            scopes: &scopes,
            user_agent: Some(&agent),
            ..Request::default()
        };
        let received = Received::of(&request);
        prop_assert!(received.page.is_some(), "{page}");
        let recorded = received.without_keys(|text| looks_like_key(text, &convention));
        let mut all = recorded.client.map_or_else(String::new, str::to_owned);
        all += &recorded.origin.map_or_else(String::new, |origin| origin.to_string());
        recorded.scopes.iter().for_each(|scope| all += scope.as_str());
        let folded: String = all.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        prop_assert!(!folded.contains(&tail[..12]), "{folded}");
        prop_assert!(recorded.origin.is_none() && recorded.scopes.is_empty());
    }
}
