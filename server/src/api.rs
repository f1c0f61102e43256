//! The API's operations. This is the only list of them. The method, path and documentation of each come from the
//! `#[utoipa::path]` of its handler, so a route cannot exist without documentation, nor documentation without a route.

use axum::http::Method;
use utoipa::openapi::{PathItem, path::Operation};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

use crate::{app_state::AppState, rest, verify};

/// The handlers, in the order in which `/docs` shows the operations of a group.
fn operations() -> Vec<UtoipaMethodRouter<AppState>> {
    vec![
        routes!(verify::verify),
        routes!(rest::orgs::list, rest::orgs::create),
        routes!(rest::orgs::show),
        routes!(rest::keys::list, rest::keys::create),
        routes!(rest::key_import::import),
        routes!(rest::keys::show, rest::key_change::change),
        routes!(rest::sources::list),
        routes!(rest::findings::list),
        routes!(rest::policies::show, rest::policies::change),
        routes!(rest::reviews::list),
        routes!(rest::reviews::withdraw),
        routes!(rest::reviews::list_of_key, rest::reviews::create),
        routes!(rest::rotation::rotate),
        routes!(rest::rotation::end_old_secret),
        routes!(rest::state_changes::disable),
        routes!(rest::state_changes::enable),
        routes!(rest::state_changes::revoke),
        routes!(rest::agents::list, rest::agents::create),
        routes!(
            rest::agents::show,
            rest::agents::change,
            rest::agents::remove
        ),
        routes!(rest::projects::list, rest::projects::create),
        routes!(
            rest::projects::show,
            rest::projects::change,
            rest::projects::remove
        ),
        routes!(rest::members::list),
        routes!(rest::members::change, rest::members::remove),
        routes!(rest::invitations::list, rest::invitations::create),
        routes!(rest::invitations::withdraw),
        routes!(rest::tokens::list, rest::tokens::create),
        routes!(rest::tokens::revoke),
        routes!(rest::usage::show),
        routes!(rest::usage::export),
        routes!(rest::refusals::list),
        routes!(rest::instances::list),
        routes!(rest::audit::list),
    ]
}

/// All operations, as routes and as the paths and schemas of the OpenAPI document.
pub fn router() -> OpenApiRouter<AppState> {
    operations()
        .into_iter()
        .fold(OpenApiRouter::default(), OpenApiRouter::routes)
}

/// The method and path of each operation.
pub fn routes() -> Vec<(Method, String)> {
    let mut paths = router().into_openapi().paths.paths;
    let of_path = |(path, item): (&String, &mut PathItem)| {
        let methods = by_method(item).map(|(method, _)| (method, path.clone()));
        methods.collect::<Vec<_>>()
    };
    paths.iter_mut().flat_map(of_path).collect()
}

pub fn by_method(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let methods = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    methods
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
