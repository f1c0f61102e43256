//! The static files of the pages: embedded, precompressed, and named by the hash of their content.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

struct Asset {
    /// The URL path.
    path: &'static str,
    /// The start of its SHA-256, in hexadecimal.
    digest: &'static str,
    /// The uncompressed file.
    identity: &'static [u8],
    /// The file, compressed with brotli.
    brotli: Option<&'static [u8]>,
    /// The file, compressed with gzip.
    gzip: Option<&'static [u8]>,
}

/// The URLs for a page's head. They are empty if the binary was built without the pages' files.
#[derive(Debug, Clone, Copy)]
pub struct AssetNames {
    pub css: &'static str,
    /// The JavaScript module that starts the application in the browser.
    pub js: &'static str,
    pub favicon: &'static str,
    /// All fonts, which are preloaded.
    pub fonts: &'static [&'static str],
}

/// The URLs of this build.
pub fn names() -> AssetNames {
    NAMES
}

/// Whether this binary contains the pages' files. `cargo build` alone does not include them; `cargo xtask` does.
pub fn are_embedded() -> bool {
    !ASSETS.is_empty()
}

/// Serves every embedded file at its path.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(
            asset.path,
            get(async |request: Request| respond(asset, request.method(), request.headers())),
        )
    })
}

/// Responds to a GET or HEAD request for a file.
fn respond(asset: &Asset, method: &Method, request: &HeaderMap) -> Response {
    let (encoding, content) = negotiate(asset, request);
    let tag = match encoding {
        Some(encoding) => format!("\"{}-{encoding}\"", asset.digest),
        None => format!("\"{}\"", asset.digest),
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(cache_control(asset.path)),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|value| names_tag(value, &tag))
    {
        return (StatusCode::NOT_MODIFIED, headers, [(header::ETAG, tag)]).into_response();
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(asset.path)),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(content)
    };
    (headers, [(header::ETAG, tag)], body).into_response()
}

/// A URL that contains a digest never changes its content. Other files are revalidated on each use.
fn cache_control(path: &str) -> &'static str {
    if path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Selects the encoding with the highest weight in `Accept-Encoding`. If weights are equal, the smallest file (RFC
/// 9110, 12.5.3).
fn negotiate(asset: &Asset, request: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let mut best = (weight(request, "identity"), None, asset.identity);
    for (name, content) in [("gzip", asset.gzip), ("br", asset.brotli)] {
        if let Some(content) = content {
            let weight = weight(request, name);
            if weight > 0.0 && weight >= best.0 {
                best = (weight, Some(name), content);
            }
        }
    }
    (best.1, best.2)
}

/// The weight, from 0 to 1, that a request gives to an encoding. `identity` is acceptable as a last resort if it is not
/// mentioned.
fn weight(request: &HeaderMap, encoding: &str) -> f32 {
    let mut any = None;
    for entry in request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let (name, parameter) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = parameter
            .trim()
            .strip_prefix("q=")
            .map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0));
        match name.trim() {
            name if name.eq_ignore_ascii_case(encoding) => return weight,
            "*" => any = Some(weight),
            _ => {}
        }
    }
    any.unwrap_or(if encoding == "identity" {
        f32::MIN_POSITIVE
    } else {
        0.0
    })
}

/// Whether an `If-None-Match` value contains this entity tag, by weak comparison (RFC 9110, 13.1.2).
fn names_tag(value: &HeaderValue, tag: &str) -> bool {
    value.to_str().is_ok_and(|value| {
        value
            .split(',')
            .map(str::trim)
            .any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HASHED: Asset = Asset {
        path: "/assets/latchkey.0123.wasm",
        digest: "0123",
        identity: b"identity",
        brotli: Some(b"br"),
        gzip: Some(b"gzip"),
    };
    const PLAIN: Asset = Asset {
        path: "/robots.txt",
        digest: "4567",
        identity: b"text",
        brotli: None,
        gzip: None,
    };

    fn ask(asset: &Asset, headers: &[(header::HeaderName, &'static str)]) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        respond(asset, &Method::GET, &headers)
    }

    fn encoding(accepted: &'static str) -> String {
        let response = ask(&HASHED, &[(header::ACCEPT_ENCODING, accepted)]);
        response
            .headers()
            .get(header::CONTENT_ENCODING)
            .map_or("identity", |value| value.to_str().unwrap())
            .to_owned()
    }

    #[rstest]
    #[case("gzip, deflate, br, zstd", "br")]
    #[case("gzip", "gzip")]
    #[case("GZIP", "gzip")]
    #[case("br;q=0, gzip", "gzip")]
    #[case("br;q=0.1, gzip;q=0.9", "gzip")]
    #[case("br; q=0, gzip; q=0", "identity")]
    #[case("*", "br")]
    #[case("*, br;q=0", "gzip")]
    #[case("*;q=0", "identity")]
    #[case("identity, br;q=0.5", "identity")]
    #[case("br;q=nonsense", "identity")]
    #[case("", "identity")]
    fn the_smallest_form_that_the_client_accepts_is_sent(
        #[case] accepted: &'static str,
        #[case] sent: &str,
    ) {
        assert_eq!(encoding(accepted), sent);
    }

    #[test]
    fn a_client_that_accepts_nothing_by_name_is_sent_the_file_as_it_is() {
        let answer = ask(&HASHED, &[]);
        assert!(answer.headers().get(header::CONTENT_ENCODING).is_none());
    }

    #[test]
    fn hashed_names_are_kept_for_ever_and_others_asked_for_again() {
        let hashed = ask(&HASHED, &[]);
        assert_eq!(
            hashed.headers()[header::CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(hashed.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(hashed.headers()[header::VARY], "accept-encoding");
        let plain = ask(&PLAIN, &[]);
        assert_eq!(plain.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(
            plain.headers()[header::CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
        assert_eq!(plain.headers()[header::CONTENT_LENGTH], "4");
    }

    #[test]
    fn a_known_entity_tag_gets_304_and_each_form_has_its_own() {
        let plain = [(header::IF_NONE_MATCH, "\"other\", W/\"4567\"")];
        let response = ask(&PLAIN, &plain);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(response.headers()[header::ETAG], "\"4567\"");
        assert_eq!(
            ask(&PLAIN, &[(header::IF_NONE_MATCH, "*")]).status(),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(
            ask(&PLAIN, &[(header::IF_NONE_MATCH, "\"456\"")]).status(),
            StatusCode::OK
        );
        let brotli = [
            (header::ACCEPT_ENCODING, "br"),
            (header::IF_NONE_MATCH, "\"0123\""),
        ];
        assert_eq!(ask(&HASHED, &brotli).status(), StatusCode::OK);
        let brotli = [
            (header::ACCEPT_ENCODING, "br"),
            (header::IF_NONE_MATCH, "\"0123-br\""),
        ];
        assert_eq!(ask(&HASHED, &brotli).status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn head_says_the_length_and_sends_nothing() {
        let response = respond(&HASHED, &Method::HEAD, &HeaderMap::new());
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "8");
        let body = axum::body::to_bytes(response.into_body(), 100)
            .await
            .unwrap();
        assert!(body.is_empty());
    }

    #[test]
    fn the_embedded_table_is_complete() {
        for asset in ASSETS {
            assert!(
                asset.path.starts_with('/') && !asset.identity.is_empty(),
                "{}",
                asset.path
            );
        }
        if are_embedded() {
            let names = names();
            for name in [names.css, names.js] {
                assert!(
                    ASSETS.iter().any(|asset| asset.path == name),
                    "{name:?} is not in the table"
                );
            }
        }
    }
}
