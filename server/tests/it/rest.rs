//! The REST API, its OpenAPI document and CORS.

mod access;
mod agents;
mod audit;
mod cors;
mod description;
mod entity_tag;
mod findings;
mod idempotency;
mod instances;
mod invitations;
mod key_change;
mod key_import;
mod keys;
mod members;
mod orgs;
mod policies;
mod projects;
mod refusals;
mod reviews;
mod rotation;
mod sources;
mod state_changes;
mod tokens;
mod usage;
mod wording;
