//! Entity tags (RFC 9110, 8.8.3). `ETag` identifies the state that a response shows, and `If-Match` the state that a
//! change is meant for. Every operation that changes or deletes a key, an agent or a project accepts it.

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use latchkey::revision::Known;

use crate::problem::{Code, Problem};

/// The `If-Match` header. Without the header, and with `*`, any state is accepted.
#[derive(Debug)]
pub struct IfMatch(pub Known);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let lines = parts.headers.get_all(header::IF_MATCH);
        let texts: Option<Vec<&str>> = lines.iter().map(|line| line.to_str().ok()).collect();
        let known = texts.and_then(|texts| match texts.as_slice() {
            [] => Some(Known::Nothing),
            // Several headers form one list.
            texts => read(&texts.join(",")),
        });
        known.map(Self).ok_or_else(malformed)
    }
}

/// Adds the `ETag` of the state that a response shows.
pub fn tagged(tag: &str, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).ok();
    response
        .headers_mut()
        .extend(tag.map(|tag| (header::ETAG, tag)));
    response
}

/// The object has none of the ETags in `If-Match`.
pub fn changed_meanwhile() -> Problem {
    Problem::new(
        Code::ChangedMeanwhile,
        "If-Match does not name the current ETag, so nothing was changed. Retrieve the object, and send the change again \
         with its ETag if it is still needed.",
    )
}

/// Parses `*` or a list of tags; `None` if invalid. Weak tags are omitted, because they never match.
fn read(text: &str) -> Option<Known> {
    if text.trim_matches(BLANKS) == "*" {
        return Some(Known::Nothing);
    }
    let mut rest = text;
    let (mut tags, mut weak) = (Vec::new(), false);
    loop {
        rest = rest.trim_start_matches(|c| c == ',' || BLANKS.contains(&c));
        if rest.is_empty() {
            return (weak || !tags.is_empty()).then_some(Known::Tags(tags));
        }
        let is_weak = rest.starts_with("W/");
        let opaque = rest.strip_prefix("W/").unwrap_or(rest);
        let (tag, after) = opaque.strip_prefix('"')?.split_once('"')?;
        if tag.contains(BLANKS) {
            return None;
        }
        match is_weak {
            true => weak = true,
            false => tags.push(tag.to_owned()),
        }
        rest = after.trim_start_matches(BLANKS);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

fn malformed() -> Problem {
    Problem::invalid_request(
        "If-Match must be * or a list of entity tags in double quotes, such as the ETag of a previous response.",
        Vec::new(),
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing("")]
    #[case::a_comma(",")]
    #[case::no_quotes("a")]
    #[case::no_end("\"a")]
    #[case::no_start("a\"")]
    #[case::no_comma("\"a\" \"b\"")]
    #[case::more_behind("\"a\"b")]
    #[case::any_in_a_list("*,\"a\"")]
    #[case::weak_in_lower_case("w/\"a\"")]
    #[case::weak_without_quotes("W/a")]
    #[case::a_blank_inside("\"a b\"")]
    #[case::weak_twice("W/W/\"a\"")]
    fn what_is_no_list_of_tags_is_not_read(#[case] text: &str) {
        assert_eq!(read(text), None);
    }

    #[rstest]
    #[case::a_list("\"a\"", &["a"])]
    #[case::blanks_and_a_weak_one(" \"a\" , ,W/\"b\",\"c,d\",", &["a", "c,d"])]
    #[case::only_a_weak_one("W/\"a\"", &[])]
    #[case::an_empty_one("\"\"", &[""])]
    fn strong_tags_are_read_and_weak_ones_left_out(#[case] text: &str, #[case] tags: &[&str]) {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        assert_eq!(read(text), Some(Known::Tags(tags)));
    }

    #[test]
    fn any_state_will_do_for_an_asterisk() {
        assert_eq!(read(" * "), Some(Known::Nothing));
    }
}
