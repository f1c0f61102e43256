//! The words of the usage page for what requests are divided and filtered by.

use latchkey::{
    convention::KindNames,
    key::Kind,
    outcome::Outcome,
    usage::{Range, question::Dimension},
};

/// The heading of a table: "By key".
pub const fn dimension_title(by: Dimension) -> &'static str {
    match by {
        Dimension::Key => "By key",
        Dimension::Project => "By project",
        Dimension::Environment => "By environment",
        Dimension::Kind => "By type",
        Dimension::Class => "By endpoint class",
        Dimension::Agent => "By agent",
        Dimension::Outcome => "By outcome",
    }
}

/// The name of a filter, and of the first column of a table.
pub const fn dimension_name(by: Dimension) -> &'static str {
    match by {
        Dimension::Key => "Key",
        Dimension::Project => "Project",
        Dimension::Environment => "Environment",
        Dimension::Kind => "Type",
        Dimension::Class => "Endpoint class",
        Dimension::Agent => "Agent",
        Dimension::Outcome => "Outcome",
    }
}

/// The name of a group, or of a value of a filter.
pub fn group_name(kinds: &KindNames, by: Dimension, id: &str, name: &str) -> String {
    let kind = Kind::ALL.iter().find(|kind| kind.as_str() == id);
    if let (Dimension::Kind, Some(kind)) = (by, kind) {
        return format!("{} keys", kinds.title(*kind));
    }
    match (by, id) {
        (Dimension::Environment, "live") => "Live",
        (Dimension::Environment, "test") => "Test",
        (Dimension::Kind, "agent") => "Public IDs of agents",
        (Dimension::Outcome, code) => match code.parse::<Outcome>() {
            Ok(outcome) => outcome.title(),
            Err(_) => name,
        },
        _ => name,
    }
    .to_owned()
}

/// The title of a range in links.
pub const fn range_title(range: Range) -> &'static str {
    match range {
        Range::Hours24 => "24 h",
        Range::Days7 => "7 days",
        Range::Days30 => "30 days",
        Range::Months12 => "12 months",
    }
}
