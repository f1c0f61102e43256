//! What the filters of the usage page offer.

use latchkey::{convention::KindNames, key::Kind};

/// What the filters offer.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Whether the user can see the use of single keys, agents and projects, and export it.
    pub with_details: bool,
    /// The ID and name of each project.
    pub projects: Vec<(String, String)>,
    /// The kinds of keys that the convention has, and their names.
    pub kinds: Vec<Kind>,
    pub kind_names: KindNames,
    /// The endpoint classes.
    pub classes: Vec<String>,
}
