//! Security: headers of every response, sessions, cross-site requests, limits, and the absence of secrets.

mod answer_sizes;
mod bounds;
mod compression;
mod cookies;
mod cross_site;
mod headers;
mod hosts;
mod limits;
mod repeats;
mod second_factor;
mod secrets;
mod sessions;
mod shares;
mod sign_in;
mod slow_bodies;
mod tokens_and_ids;
mod two_orgs;
