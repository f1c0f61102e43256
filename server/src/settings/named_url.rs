//! URLs that pages link to and code examples contain.

use url::Url;

/// Characters that end a string in the languages of the examples, or that a shell interprets.
const UNSAFE: [char; 16] = [
    '"', '\'', '`', '$', '\\', '<', '>', '{', '}', ' ', ';', '|', '(', ')', '!', '*',
];

/// Parses the URL of a page or script.
///
/// # Errors
/// If the text is not an http or https URL that can be part of a code example.
pub fn page(text: &str) -> Result<String, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("is not a URL ({error}); write https://HOST/PATH"))?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "https" | "http") || has_user {
        return Err("must begin with https:// or http://, and contain no user name".to_owned());
    }
    let text = url.to_string();
    // Outside an IPv6 address, curl and some shells expand brackets.
    let has_brackets = url[url::Position::BeforePath..].contains(['[', ']']);
    if text.contains(UNSAFE) || has_brackets {
        return Err(
            "must not contain quotes, spaces, or the characters ` $ \\ < > { } [ ] ; | ( ) ! *"
                .to_owned(),
        );
    }
    Ok(text)
}

/// Parses a URL to which examples append a path. Returns it without a slash at its end.
///
/// # Errors
/// Like [`page`], and if the URL has a query or a fragment.
pub fn base(text: &str) -> Result<String, String> {
    let url = page(text)?;
    if url.contains(['?', '#', '&']) {
        return Err(
            "must have no query, no fragment and no `&`, because paths are appended to it"
                .to_owned(),
        );
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://API.example.com", "https://api.example.com")]
    #[case("https://api.example.com/v2/", "https://api.example.com/v2")]
    #[case("http://localhost:8080", "http://localhost:8080")]
    #[case("http://[::1]:8080", "http://[::1]:8080")]
    fn a_base_has_no_slash_at_its_end(#[case] text: &str, #[case] url: &str) {
        assert_eq!(base(text).unwrap(), url);
    }

    #[rstest]
    #[case::no_scheme("api.example.com")]
    #[case::a_script("javascript:alert(1)")]
    #[case::a_file("file:///etc/passwd")]
    #[case::a_user("https://u:p@api.example.com")]
    #[case::a_query("https://api.example.com/?a=b")]
    #[case::a_shell_word("https://api.example.com/$(id)")]
    #[case::a_pattern("https://api.example.com/[1-9]")]
    #[case::a_line_break("https://api.example.com/\u{2028}\n;id")]
    #[case::a_quote("https://api.example.com/'")]
    fn what_cannot_be_in_an_example_is_refused(#[case] text: &str) {
        base(text).unwrap_err();
    }
}
