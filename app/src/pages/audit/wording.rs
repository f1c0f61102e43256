//! The wording of audit log entries.

use latchkey::event::Event;

/// A sentence around the name of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wording {
    /// The part before the name.
    pub before: &'static str,
    pub after: &'static str,
    /// Whether the sentence names the target.
    pub names_target: bool,
}

impl Wording {
    /// The wording of an event. `is_own` is true if the actor is also the target.
    pub fn of(event: Event, is_own: bool) -> Self {
        use Event::*;
        match event {
            KeyCreated | KeyUpdated | KeyDisabled | KeyEnabled | KeyRotated | KeyRevoked
            | KeyImported | AgentCreated | AgentUpdated | AgentDeleted | ProjectCreated
            | ProjectUpdated | ProjectDeleted | TokenCreated | TokenRevoked => {
                naming(event.sentence(), "")
            }
            KeyOldSecretEnded => naming("ended the old secret of the key", ""),
            MemberInvited => naming("invited", ""),
            MemberJoined if !is_own => naming("added", "to the organization"),
            MemberRoleChanged => naming("changed the role of", ""),
            MemberRemoved => naming("removed", "from the organization"),
            SessionEnded if !is_own => naming("signed out", "everywhere"),
            OrgCreated | OrgUpdated | OrgDeleted | MemberJoined | MemberLeft | SessionStarted
            | SessionFailed | SessionEnded | AccessDenied | ExportMade | KeyLookedUp => Self {
                before: event.sentence(),
                after: "",
                names_target: false,
            },
        }
    }
}

const fn naming(before: &'static str, after: &'static str) -> Wording {
    Wording {
        before,
        after,
        names_target: true,
    }
}

/// The wording of an event on its target's own page: "Rotated".
pub fn brief(event: Event) -> String {
    let words = match event {
        Event::KeyOldSecretEnded => "ended the old secret",
        event => event.sentence(),
    };
    capitalized(words.strip_suffix(" the key").unwrap_or(words))
}

/// The title of an event in the filter: "Key old secret ended".
pub fn title(event: Event) -> String {
    let (kind, what) = event.as_str().split_once('.').unwrap_or_default();
    format!("{} {}", kind_title(kind), what.replace('_', " "))
}

/// The title of a kind of event, the first part of its wire name.
pub fn kind_title(kind: &str) -> String {
    match kind {
        "org" => "Organization".to_owned(),
        other => capitalized(other),
    }
}

/// The title of a changed field.
pub fn field_title(field: &str) -> String {
    match field {
        "expires_at" => "Expiry".to_owned(),
        "old_secret_ends_at" => "Old secret ends".to_owned(),
        "localhost_forbidden" => "Localhost blocked".to_owned(),
        "public_embedding" => "Embedding by public ID".to_owned(),
        "secrets_in_browsers" => "Secret keys allowed in browsers".to_owned(),
        other => capitalized(&other.replace('_', " "))
            .replace("Ip ", "IP ")
            .replace(" id", " ID"),
    }
}

/// Capitalizes the first letter.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_as_sentences() {
        let said = |event, is_own| {
            let Wording {
                before,
                after,
                names_target,
            } = Wording::of(event, is_own);
            [before, if names_target { "X" } else { "" }, after]
                .join(" ")
                .trim()
                .to_owned()
        };
        assert_eq!(said(Event::KeyCreated, false), "created the key X");
        assert_eq!(
            said(Event::KeyOldSecretEnded, false),
            "ended the old secret of the key X"
        );
        assert_eq!(
            said(Event::MemberJoined, false),
            "added X to the organization"
        );
        assert_eq!(said(Event::MemberJoined, true), "joined the organization");
        assert_eq!(said(Event::SessionEnded, false), "signed out X everywhere");
        assert_eq!(said(Event::SessionEnded, true), "signed out");
        assert_eq!(
            said(Event::OrgUpdated, false),
            "changed the organization's settings"
        );
    }

    #[test]
    fn events_and_fields_have_titles() {
        assert_eq!(brief(Event::KeyRotated), "Rotated");
        assert_eq!(brief(Event::KeyOldSecretEnded), "Ended the old secret");
        assert_eq!(title(Event::KeyOldSecretEnded), "Key old secret ended");
        assert_eq!(field_title("ip_ranges"), "IP ranges");
        assert_eq!(field_title("name"), "Name");
    }
}
