//! Query strings. The router's own map decodes values twice, which changes a key's name with a `%` in it.

/// The last value of `name` in a query string; empty if there is none.
pub fn value_of(query: &str, name: &str) -> String {
    form_urlencoded::parse(query.trim_start_matches('?').as_bytes())
        .filter(|(key, _)| key == name)
        .last()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Builds a query string with its question mark from the pairs with a value; empty if there are none.
pub fn query_of(pairs: &[(&str, &str)]) -> String {
    let with_value = pairs.iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(with_value)
        .finish();
    if query.is_empty() {
        query
    } else {
        format!("?{query}")
    }
}

/// Whether `next` is a path on this site. Browsers read `//` and `/\` as the start of a host.
pub fn is_own_path(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A text for a part of a URL.
pub fn escaped(text: &str) -> String {
    let escaped = form_urlencoded::byte_serialize(text.as_bytes());
    escaped.collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for value in ["a b", "100%", "%41", "a&b=c", "\u{1f}", "日本", "a+b", "%"] {
            assert_eq!(
                value_of(&query_of(&[("before", "x"), ("q", value)]), "q"),
                value
            );
        }
    }

    #[test]
    fn what_browsers_send_is_read() {
        assert_eq!(value_of("q=my+key%21&status=", "q"), "my key!");
        assert_eq!(value_of("?q=1&q=2", "q"), "2");
        assert_eq!(value_of("q=%zz%", "q"), "%zz%");
        assert_eq!(value_of("status=active", "q"), "");
        assert_eq!(query_of(&[("q", "")]), "");
    }

    #[test]
    fn only_paths_of_this_site_are_gone_to() {
        for good in ["/account", "/orgs/acme/keys?q=a%20b&status=active"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nSet-Cookie: b",
            "/\t/evil.example",
            "/ä",
        ] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
