//! Describes a change of domains, and computes the change that undoes it.

use crate::values::key_domains::DomainsForm;

/// Whether a change is a new one or undoes the previous one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Change,
    Undo,
}

/// Describes what was done.
pub fn sentence(added: &[String], removed: &[String], form: &DomainsForm, step: Step) -> String {
    let again = match step {
        Step::Change => "",
        Step::Undo => " again",
    };
    match (added, removed, form.localhost.as_str()) {
        (_, _, "forbid") => "Localhost blocked.".to_owned(),
        (_, _, "allow") => "Localhost allowed.".to_owned(),
        ([one], ..) => format!("{one} added{again}."),
        (_, [one], _) => format!("{one} removed{again}."),
        ([], [], _) => "No change was needed.".to_owned(),
        ([], several, _) => format!("{} domains removed{again}.", several.len()),
        (several, ..) => format!("{} domains added{again}.", several.len()),
    }
}

/// Returns the step that undoes a change; `None` if nothing was changed. `before` is the domain that followed the
/// removed one in the list.
pub fn undo_of(
    added: Vec<String>,
    removed: Vec<String>,
    before: Option<String>,
    form: &DomainsForm,
) -> Option<DomainsForm> {
    let localhost = match form.localhost.as_str() {
        "forbid" => "allow",
        "allow" => "forbid",
        _ => "",
    };
    let undo = DomainsForm {
        before: before.unwrap_or_default(),
        add: removed.join("\n"),
        remove: added,
        localhost: localhost.to_owned(),
    };
    (undo != DomainsForm::default()).then_some(undo)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_change_is_described_and_undone_by_what_it_changed() {
        let form = |add: &str, remove: &[&str], localhost: &str| DomainsForm {
            add: add.to_owned(),
            before: String::new(),
            remove: texts(remove),
            localhost: localhost.to_owned(),
        };
        for (sent, added, removed, text, undo) in [
            (
                form("a.example, b.example", &[], ""),
                texts(&["a.example"]),
                vec![],
                "a.example added.",
                Some(form("", &["a.example"], "")),
            ),
            (
                form("", &["a.example"], ""),
                vec![],
                texts(&["a.example"]),
                "a.example removed.",
                Some(form("a.example", &[], "")),
            ),
            (
                form("a.example b.example", &[], ""),
                texts(&["a.example", "b.example"]),
                vec![],
                "2 domains added.",
                Some(form("", &["a.example", "b.example"], "")),
            ),
            (
                form("", &[], "forbid"),
                vec![],
                vec![],
                "Localhost blocked.",
                Some(form("", &[], "allow")),
            ),
            (
                form("a.example", &[], ""),
                vec![],
                vec![],
                "No change was needed.",
                None,
            ),
        ] {
            assert_eq!(sentence(&added, &removed, &sent, Step::Change), text);
            assert_eq!(undo_of(added, removed, None, &sent), undo);
        }
        let removed = form("", &["a.example"], "");
        let next = Some("b.example".to_owned());
        let undo = undo_of(vec![], texts(&["a.example"]), next, &removed);
        assert_eq!(
            undo.unwrap().before,
            "b.example",
            "the domain returns to its previous position"
        );
    }
}
