//! What every answer promises, sessions, requests from elsewhere, and where secrets are not.

mod answer_sizes;
mod bounds;
mod cookies;
mod cross_site;
mod headers;
mod hosts;
mod limits;
mod secrets;
mod sessions;
mod shares;
mod sign_in;
mod tokens_and_ids;
mod two_orgs;
