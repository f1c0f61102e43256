//! Names in forms that have more than one, or whose label says what the name is of.

use latchkey::name::{DisplayName, InvalidName};

/// Parses a name. The error of an empty field says what is missing: "an organization name".
///
/// # Errors
/// The sentence for the field.
pub fn read_name(text: &str, what: &str) -> Result<DisplayName, String> {
    text.parse().map_err(|error| match error {
        InvalidName::Empty => format!("Enter {what}."),
        error => error.to_string(),
    })
}
