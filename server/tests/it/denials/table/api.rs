//! The REST API.

use axum::http::Method;

use super::{Access::ServiceToken, Entry, page, post};

pub fn entries() -> Vec<Entry> {
    vec![
        post("/v1/verify", "{}", ServiceToken),
        page("/v1/instances", ServiceToken),
        page("/v1/orgs", ServiceToken),
        post("/v1/orgs", "", ServiceToken),
        page("/v1/orgs/{org}", ServiceToken),
        page("/v1/orgs/{org}/keys", ServiceToken),
        post("/v1/orgs/{org}/keys", "", ServiceToken),
        post("/v1/orgs/{org}/keys/import", "", ServiceToken),
        page("/v1/orgs/{org}/keys/{id}", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/keys/{id}", ServiceToken)
        },
        page("/v1/orgs/{org}/keys/{id}/sources", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/rotate", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/end-old-secret", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/disable", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/enable", "", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/revoke", "", ServiceToken),
        page("/v1/orgs/{org}/agents", ServiceToken),
        post("/v1/orgs/{org}/agents", "", ServiceToken),
        page("/v1/orgs/{org}/agents/{public_id}", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/agents/{public_id}", ServiceToken)
        },
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/agents/{public_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/projects", ServiceToken),
        post("/v1/orgs/{org}/projects", "", ServiceToken),
        page("/v1/orgs/{org}/projects/{project_id}", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/projects/{project_id}", ServiceToken)
        },
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/projects/{project_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/tokens", ServiceToken),
        post("/v1/orgs/{org}/tokens", "", ServiceToken),
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/tokens/{token_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/members", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/members/{user_id}", ServiceToken)
        },
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/members/{user_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/invitations", ServiceToken),
        post("/v1/orgs/{org}/invitations", "", ServiceToken),
        Entry {
            method: Method::DELETE,
            ..page("/v1/orgs/{org}/invitations/{invitation_id}", ServiceToken)
        },
        page("/v1/orgs/{org}/usage", ServiceToken),
        page("/v1/orgs/{org}/usage.csv", ServiceToken),
        page("/v1/orgs/{org}/refusals", ServiceToken),
        page("/v1/orgs/{org}/audit", ServiceToken),
        page("/v1/orgs/{org}/findings", ServiceToken),
        page("/v1/orgs/{org}/policies", ServiceToken),
        Entry {
            method: Method::PATCH,
            ..page("/v1/orgs/{org}/policies", ServiceToken)
        },
        page("/v1/orgs/{org}/reviews", ServiceToken),
        page("/v1/orgs/{org}/keys/{id}/reviews", ServiceToken),
        post("/v1/orgs/{org}/keys/{id}/reviews", "", ServiceToken),
        post(
            "/v1/orgs/{org}/reviews/{review_id}/withdraw",
            "",
            ServiceToken,
        ),
    ]
}
