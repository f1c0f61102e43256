//! The pages of the Instance area.

use crate::icons::Symbol;

#[derive(Debug, Clone, Copy)]
pub struct InstancePage {
    pub path: &'static str,
    pub title: &'static str,
    /// The icon in the navigation.
    pub symbol: Symbol,
}

const fn page(path: &'static str, title: &'static str, symbol: Symbol) -> InstancePage {
    InstancePage {
        path,
        title,
        symbol,
    }
}

/// The path of the first page, with which the others begin.
pub const INSTANCE: &str = "/instance";

/// The pages, in the order of the navigation.
pub const INSTANCE_PAGES: [InstancePage; 6] = [
    page(INSTANCE, "Overview", Symbol::Usage),
    page("/instance/organizations", "Organizations", Symbol::Projects),
    page("/instance/people", "People", Symbol::Members),
    page("/instance/tokens", "Service tokens", Symbol::Token),
    page("/instance/settings", "Settings in effect", Symbol::Settings),
    page("/instance/log", "Instance log", Symbol::Audit),
];

/// Whether a path belongs to the Instance area.
pub fn is_of_instance(path: &str) -> bool {
    path.strip_prefix(INSTANCE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
