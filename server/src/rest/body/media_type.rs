//! The media type of a body. A body without `Content-Type` is accepted as JSON.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::problem::{Code, Problem};

/// Rejects a body whose headers state another media type than JSON, or compression.
///
/// # Errors
/// If the headers state something else: 415, with what to send instead.
pub fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let all = |name, will_do: fn(&HeaderValue) -> bool| headers.get_all(name).iter().all(will_do);
    if !all(header::CONTENT_TYPE, is_json) {
        let detail = "Send the body as JSON, with Content-Type: application/json.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    if !all(header::CONTENT_ENCODING, is_identity) {
        let detail = "Send the body as it is, without Content-Encoding.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    Ok(())
}

/// Whether the media type is `application/json` or has the suffix `+json` (RFC 6839), with any parameters.
fn is_json(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let name = text.split(';').next().unwrap_or_default().trim();
    let of_application = name.strip_prefix("application/");
    of_application.is_some_and(|name| name == "json" || name.ends_with("+json"))
}

fn is_identity(value: &HeaderValue) -> bool {
    let text = value.to_str().unwrap_or_default();
    text.trim().eq_ignore_ascii_case("identity")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<(), Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        check_media_type(&headers)
    }

    #[rstest]
    #[case("content-type", "application/json")]
    #[case("content-type", "Application/JSON; charset=utf-8")]
    #[case("content-type", "application/merge-patch+json")]
    #[case("content-encoding", "identity")]
    #[case::neither_header("x", "x")]
    fn json_and_nothing_will_do(#[case] name: &'static str, #[case] value: &'static str) {
        with(name, value).unwrap();
    }

    #[rstest]
    #[case("content-type", "application/x-www-form-urlencoded")]
    #[case("content-type", "text/plain")]
    #[case("content-type", "text/json+x")]
    #[case("content-type", "")]
    #[case("content-encoding", "gzip")]
    #[case("content-encoding", "")]
    fn nothing_else_will_do(#[case] name: &'static str, #[case] value: &'static str) {
        let problem = format!("{:?}", with(name, value).unwrap_err());
        assert!(problem.contains("UnsupportedMediaType"), "{problem}");
    }
}
