use super::*;

#[test]
fn a_referer_counts_only_where_there_is_no_origin() {
    let of_request =
        |origin, referer| Origin::of_request(origin, referer).map(|origin| origin.to_string());
    let page = Some("https://mysite.com/shop?item=1#top");
    let mysite = Ok("https://mysite.com".to_owned());
    assert_eq!(of_request(None, page), mysite);
    assert_eq!(
        of_request(Some("https://other.com"), page),
        Ok("https://other.com".to_owned())
    );
    assert_eq!(of_request(Some("null"), page), Err(OriginError::Null));
    assert_eq!(of_request(Some(""), page), Err(OriginError::Empty));
    assert_eq!(
        of_request(Some("https://a https://b"), page),
        Err(OriginError::Malformed)
    );
    assert_eq!(of_request(None, None), Err(OriginError::Absent));
    assert_eq!(of_request(None, Some("")), Err(OriginError::Empty));
}

#[test]
fn a_referer_is_cut_where_its_host_ends() {
    let accepted = [
        ("https://mysite.com", "https://mysite.com"),
        ("https://mysite.com:8443/", "https://mysite.com:8443"),
        (
            "http://localhost:5173/https://evil.com",
            "http://localhost:5173",
        ),
        (
            "https://mysite.com?next=https://evil.com/",
            "https://mysite.com",
        ),
        ("https://mysite.com/@evil.com", "https://mysite.com"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]"),
    ];
    for (header, expected) in accepted {
        assert_eq!(Origin::from_referer(header).unwrap().to_string(), expected);
    }
    let refused = [
        ("mysite.com/", OriginError::Malformed),
        ("about:client", OriginError::Malformed),
        ("https://evil.com\\.mysite.com/", OriginError::Malformed),
        ("https://mysite.com@evil.com/", OriginError::Malformed),
        ("https:///mysite.com", OriginError::Malformed),
        ("android-app://com.mysite/", OriginError::Scheme),
        ("/path://mysite.com", OriginError::Scheme),
    ];
    for (header, expected) in refused {
        assert_eq!(
            Origin::from_referer(header).unwrap_err(),
            expected,
            "{header}"
        );
    }
}

#[test]
fn an_origin_is_shown_as_a_browser_writes_it() {
    for (header, shown) in [
        ("HTTPS://WWW.MySite.com.:443", "https://www.mysite.com"),
        ("http://mysite.com:443", "http://mysite.com:443"),
        ("http://[::FFFF:7F00:1]:80", "http://[::ffff:7f00:1]"),
    ] {
        assert_eq!(Origin::parse(header).unwrap().to_string(), shown);
    }
    assert_eq!(
        (
            Origin::parse("http://a.b").unwrap().port(),
            Origin::parse("https://a.b").unwrap().scheme()
        ),
        (80, Scheme::Https)
    );
}
