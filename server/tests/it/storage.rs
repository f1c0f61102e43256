//! What the engine keeps, on both databases.

mod agents;
mod audit;
mod audit_retention;
mod backup;
mod change;
mod effects;
mod key_bulk;
mod key_creation;
mod key_edit;
mod key_import;
mod key_list;
mod key_paging;
mod key_rotation;
mod key_state;
mod orgs;
mod peppers;
mod projects;
mod retention;
mod security_events;
mod service_tokens;
mod sessions;
mod sign_in;
mod sign_up;
mod upgrade;
mod usage_flush;
mod usage_report;
