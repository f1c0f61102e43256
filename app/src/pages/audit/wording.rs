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
    /// The wording of an event. `is_own` is true if the actor is also the target, and `is_of_org` if that is the organization.
    pub fn of(event: Event, is_own: bool, is_of_org: bool) -> Self {
        use Event::*;
        match event {
            // Nothing was found.
            KeyLookedUp if is_of_org => Self {
                before: "searched for a key by its secret",
                after: "",
                names_target: false,
            },
            KeyCreated | KeyUpdated | KeyDisabled | KeyEnabled | KeyRotated | KeyRevoked
            | KeyReviewed | KeyImported | AgentCreated | AgentUpdated | AgentDeleted
            | ProjectCreated | ProjectUpdated | ProjectDeleted | TokenCreated | TokenRevoked => {
                naming(event.sentence(), "")
            }
            KeyRequested => naming("asked for the key", ""),
            KeyRequestUpdated => naming("changed the request for the key", ""),
            KeyRequestApproved => naming("approved the request for the key", ""),
            KeyRequestDeclined => naming("declined the request for the key", ""),
            KeyRequestWithdrawn => naming("withdrew the request for the key", ""),
            KeyOldSecretEnded => naming("ended the old secret of the key", ""),
            KeyRotationOffered => naming("let a member reveal a new secret of the key", ""),
            KeyRotationWithdrawn => naming("withdrew the new secret of the key", ""),
            KeyLookedUp => naming("looked up", "by its secret"),
            ReviewAnswered => naming("answered a review of the key", ""),
            ReviewPromised => naming("promised to do what a review asks of the key", ""),
            ReviewWithdrawn => naming("withdrew a request to the owners about the key", ""),
            MemberInvited => naming("invited", ""),
            InvitationRenewed => naming("created a new link for the invitation of", ""),
            MemberJoined if !is_own => naming("added", "to the organization"),
            MemberRoleChanged => naming("changed the role of", ""),
            MemberRemoved => naming("removed", "from the organization"),
            SessionEnded if !is_own => naming("signed out", "everywhere"),
            PasswordResetRequested => naming("requested a link to reset the password of", ""),
            EmailChanged if !is_own => naming("changed the e-mail address of", ""),
            PasswordChanged if !is_own => naming("changed the password of", ""),
            AccountDisabled => naming("disabled the account of", ""),
            AccountEnabled => naming("enabled the account of", ""),
            PasswordChanged | PasswordReset | EmailChanged | EmailConfirmed | AccountRenamed => {
                Self {
                    before: event.sentence(),
                    after: "",
                    names_target: false,
                }
            }
            SecondFactorDisabled if !is_own => naming("reset the second factor of", ""),
            OperatorAdded => naming("made", "an operator"),
            OperatorRemoved => naming("removed", "from the operators"),
            OrgCreated | OrgUpdated | OrgDeleted | MemberJoined | MemberLeft | SessionStarted
            | SessionFailed | SessionEnded | AccessDenied | ExportMade | InvitationWithdrawn
            | SecondFactorEnabled | SecondFactorDisabled | RecoveryCodesCreated
            | RecoveryCodeUsed | AccountDeleted => Self {
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

/// The wording of an event on its target's own page, before "by" and the actor: "Rotated".
pub fn brief(event: Event) -> String {
    let words = match event {
        Event::KeyOldSecretEnded => "old secret ended",
        Event::KeyRotationOffered => "new secret offered",
        Event::KeyRotationWithdrawn => "new secret withdrawn",
        Event::KeyLookedUp => "looked up by its secret",
        Event::ReviewAnswered => "review answered",
        Event::ReviewPromised => "promised to do what a review asks",
        Event::ReviewWithdrawn => "request of a review withdrawn",
        Event::KeyRequested => "asked",
        event => event.sentence(),
    };
    let on_page = [" the request for a key", " the key"];
    let short = on_page.iter().find_map(|end| words.strip_suffix(end));
    capitalized(short.unwrap_or(words))
}

/// The title of an event in the filter: "Key created".
pub const fn title(event: Event) -> &'static str {
    match event {
        Event::KeyCreated => "Key created",
        Event::KeyUpdated => "Key changed",
        Event::KeyDisabled => "Key disabled",
        Event::KeyEnabled => "Key enabled",
        Event::KeyRotated => "Key rotated",
        Event::KeyOldSecretEnded => "Old secret of key ended",
        Event::KeyRotationOffered => "New secret of key offered",
        Event::KeyRotationWithdrawn => "New secret of key withdrawn",
        Event::KeyRevoked => "Key revoked",
        Event::KeyReviewed => "Key reviewed",
        Event::ReviewAnswered => "Review of key answered",
        Event::ReviewPromised => "Request of a review promised",
        Event::ReviewWithdrawn => "Request of a review withdrawn",
        Event::KeyImported => "Key imported",
        Event::KeyLookedUp => "Key looked up by its secret",
        Event::KeyRequested => "Key requested",
        Event::KeyRequestUpdated => "Key request changed",
        Event::KeyRequestApproved => "Key request approved",
        Event::KeyRequestDeclined => "Key request declined",
        Event::KeyRequestWithdrawn => "Key request withdrawn",
        Event::AgentCreated => "Agent created",
        Event::AgentUpdated => "Agent changed",
        Event::AgentDeleted => "Agent deleted",
        Event::ProjectCreated => "Project created",
        Event::ProjectUpdated => "Project renamed",
        Event::ProjectDeleted => "Project deleted",
        Event::OrgCreated => "Organization created",
        Event::OrgUpdated => "Organization settings changed",
        Event::OrgDeleted => "Organization deleted",
        Event::MemberInvited => "Member invited",
        Event::InvitationWithdrawn => "Invitation withdrawn",
        Event::InvitationRenewed => "Invitation renewed",
        Event::MemberJoined => "Member added",
        Event::MemberRoleChanged => "Member’s role changed",
        Event::MemberRemoved => "Member removed",
        Event::MemberLeft => "Member left",
        Event::TokenCreated => "Service token created",
        Event::TokenRevoked => "Service token revoked",
        Event::SessionStarted => "Signed in",
        Event::SessionFailed => "Sign-in failed",
        Event::SessionEnded => "Signed out",
        Event::PasswordResetRequested => "Password reset requested",
        Event::PasswordReset => "Password reset",
        Event::EmailChanged => "E-mail address changed",
        Event::EmailConfirmed => "E-mail address confirmed",
        Event::AccountRenamed => "Account renamed",
        Event::SecondFactorEnabled => "Second factor turned on",
        Event::SecondFactorDisabled => "Second factor turned off",
        Event::RecoveryCodesCreated => "Recovery codes created",
        Event::RecoveryCodeUsed => "Recovery code used",
        Event::AccountDisabled => "Account disabled",
        Event::AccountEnabled => "Account enabled",
        Event::PasswordChanged => "Password changed",
        Event::AccountDeleted => "Account deleted",
        Event::OperatorAdded => "Operator added",
        Event::OperatorRemoved => "Operator removed",
        Event::AccessDenied => "Access denied",
        Event::ExportMade => "Data exported",
    }
}

/// The title of all events of a kind, the first part of their wire names.
pub fn kind_title(kind: &str) -> String {
    let kind = match kind {
        "org" => "organization",
        "token" => "service token",
        "session" => "sign-in",
        "second_factor" => "second factor",
        "key_request" => "key request",
        other => other,
    };
    format!("All {kind} events")
}

/// The title of a changed field.
pub fn field_title(field: &str) -> String {
    match field {
        "expires_at" => "Expiry".to_owned(),
        "kind" => "Type".to_owned(),
        "verdict" => "Decision".to_owned(),
        "asked" => "Asked to".to_owned(),
        "done_as_asked" => "Done as a reviewer asked".to_owned(),
        "aspect" => "About".to_owned(),
        "expires_in_days" => "Expires".to_owned(),
        "until_at" => "Reviewed until".to_owned(),
        "old_secret_ends_at" => "Old secret ends".to_owned(),
        "recipient" => "For".to_owned(),
        "overlap_seconds" => "Overlap in seconds".to_owned(),
        "reveal_until_at" => "Can be revealed until".to_owned(),
        "localhost_forbidden" => "Localhost blocked".to_owned(),
        "public_embedding" => "Embedding by public ID".to_owned(),
        "rotation_days" => "Rotation period in days".to_owned(),
        "longest_life_days" => "Longest life of keys in days".to_owned(),
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
            } = Wording::of(event, is_own, false);
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
        assert_eq!(brief(Event::KeyOldSecretEnded), "Old secret ended");
        assert_eq!(brief(Event::KeyRequestApproved), "Approved");
        assert_eq!(kind_title("session"), "All sign-in events");
        assert_eq!(field_title("ip_ranges"), "IP ranges");
        assert_eq!(field_title("name"), "Name");
    }
}
