//! Findings: what the owners of a key should look at (design §8). They are computed from facts about the key by one pure
//! function. Badges, filters, counts and the API are views of it; `condition.rs` says the same in SQL.

mod code;
#[cfg(feature = "native")]
pub(crate) mod condition;
mod facts;
mod finding;
#[cfg(feature = "native")]
pub mod list;
#[cfg(feature = "native")]
mod of_keys;
mod policy;
#[cfg(test)]
#[cfg(feature = "native")]
mod tests;

#[cfg(feature = "native")]
pub use self::of_keys::{KeyFindings, of_keys};
pub(crate) use self::policy::refused_since;
pub use self::{
    code::{Code, InvalidCode, InvalidSeverity, Severity},
    facts::{Facts, InBrowser, Kept, Refused, Reported},
    finding::{Evidence, Finding, findings},
    policy::{
        BrokenPolicy, EXPIRES_SOON, LOCALHOST_AFTER, MANY_REFUSED, NEVER_USED_AFTER, Policy,
        REFUSED_WITHIN, UNUSED, UNUSED_LONG, UNUSED_SCOPES_AFTER,
    },
};
