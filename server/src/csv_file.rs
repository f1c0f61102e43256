//! CSV files, which are read from the database while they are sent.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use latchkey_app::{AppError, PageRequest, Site, pages::failed};
use leptos_axum::render_app_async_with_context;

use crate::{
    csv_cells::written,
    error_page,
    file_stream::{FileParts, streamed},
    same_site::is_from_another_site,
};

/// Responds with the file that `open` begins, or with its page if it cannot begin. If a link on another site led here, the
/// response redirects to the page, where the file is one click away: other sites must not be able to make a browser start an
/// export.
pub async fn respond<F>(
    site: Site,
    request: Request,
    open: impl FnOnce(PageRequest) -> F,
) -> Response
where
    F: Future<Output = Result<Response, AppError>>,
{
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts) {
        return Redirect::to(&page_of(&parts.uri)).into_response();
    }
    let opened = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => open(request).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(file) => file,
        Err(error @ AppError::Forbidden(_)) => failed(&site, on_page(parts), error).await,
        Err(error) => page_instead(&site, parts, &error).await,
    }
}

/// The URL of the page, with the filters of the file.
fn page_of(uri: &Uri) -> String {
    let path = uri.path();
    let endings = [".csv", ".json"].into_iter();
    let page = endings
        .filter_map(|ending| path.strip_suffix(ending))
        .next();
    let query = uri
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    format!("{}{query}", page.unwrap_or(path))
}

/// The request for the page instead of the file.
fn on_page(mut parts: Parts) -> Parts {
    // It has the form of the file's path, which is one.
    parts.uri = page_of(&parts.uri).parse().unwrap_or_default();
    parts
}

/// The file. If an error occurs while it is sent, the response is cut off, which browsers show as a failed download.
pub fn attachment<const N: usize>(
    name: &str,
    columns: [&'static str; N],
    rows: impl FileParts,
) -> Response {
    let Ok(header) = written(&[columns]) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let name = format!("attachment; filename=\"{name}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, streamed(header, rows)).into_response()
}

/// The response if the file cannot be created: the page, which shows the error or redirects to the sign-in page.
pub async fn page_instead(site: &Site, mut parts: Parts, error: &AppError) -> Response {
    if let AppError::Busy { retry_after } = error {
        return error_page::busy(*retry_after);
    }
    match page_of(&parts.uri).parse::<Uri>() {
        Ok(uri) => parts.uri = uri,
        Err(_) => return StatusCode::NOT_FOUND.into_response(),
    }
    let render = render_app_async_with_context(site.context(), site.document());
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    // The page itself can succeed even if the export failed.
    if response.status() == StatusCode::OK {
        *response.status_mut() = match error {
            AppError::Unreadable => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/orgs/acme/keys.csv", "/orgs/acme/keys")]
    #[case("/orgs/acme/usage.json?key=a", "/orgs/acme/usage?key=a")]
    #[case("/orgs/acme/keys.csv?q=keys.csv", "/orgs/acme/keys?q=keys.csv")]
    #[case("/orgs/acme/keys.csv?q=data.json", "/orgs/acme/keys?q=data.json")]
    fn a_page_has_the_query_of_its_file(#[case] file: &str, #[case] page: &str) {
        assert_eq!(page_of(&file.parse().unwrap()), page);
    }
}
