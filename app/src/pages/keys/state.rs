//! A key's status as a tag.

use latchkey::{
    findings::EXPIRES_SOON,
    key::{RevokeReason, Status},
    keys::KeySummary,
    time::{DAY, Timestamp},
};
use leptos::prelude::*;

use crate::text::{days::days_text, time::TimeText, words::reason_text};

/// From how many days before its expiry on a key is marked as urgent: when there is a second reminder.
pub const URGENT_DAYS: u32 = 3;

/// The content of the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyState {
    pub status: Status,
    /// Days until an active key expires, if that is soon.
    pub expires_in_days: Option<u32>,
    /// The reason of a revocation, if the user can see it.
    pub reason: Option<RevokeReason>,
}

impl KeyState {
    fn class(self) -> &'static str {
        match (self.status, self.expires_in_days) {
            (Status::Active, Some(days)) if days <= URGENT_DAYS => "tag bad",
            (Status::Active, Some(_)) => "tag warn",
            (Status::Active, None) => "tag ok",
            (Status::Disabled, _) => "tag",
            (Status::Expired | Status::Revoked, _) => "tag bad",
        }
    }

    fn text(self) -> String {
        match (self.status, self.expires_in_days, self.reason) {
            (Status::Active, Some(days), _) => format!("Expires in {}", days_text(days)),
            (Status::Active, None, _) => "Active".to_owned(),
            (Status::Disabled, ..) => "Disabled".to_owned(),
            (Status::Expired, ..) => "Expired".to_owned(),
            (Status::Revoked, _, Some(reason)) => format!("Revoked · {}", reason_text(reason)),
            (Status::Revoked, _, None) => "Revoked".to_owned(),
        }
    }
}

#[component]
pub fn StateTag(state: KeyState) -> impl IntoView {
    view! { <span class=state.class()>{state.text()}</span> }
}

/// Says that an old secret still works, and until when.
#[component]
pub fn RotatingTag(status: Status, old_ends: Option<TimeText>) -> impl IntoView {
    let can_work = matches!(status, Status::Active | Status::Disabled);
    old_ends.filter(|_| can_work).map(|ends| {
        let said = format!("The old secret works until {}.", ends.full);
        view! { <span class="tag plain accent" title=said><span>"Rotating until "<time datetime=ends.iso>{ends.short}</time></span></span> }
    })
}

impl KeyState {
    /// The status at `now`. `with_reason` is true if the user can see why a key was revoked.
    pub fn new(key: &KeySummary, now: Timestamp, with_reason: bool) -> Self {
        let status = key.status(now);
        let left = key.lifecycle.expires_at.map(|at| at.since(now));
        let soon = left.filter(|left| status == Status::Active && *left <= EXPIRES_SOON);
        Self {
            status,
            // Rounded up, so that no tag says "0 days".
            expires_in_days: soon.and_then(|left| u32::try_from((left + DAY - 1) / DAY).ok()),
            reason: key.revoke_reason.filter(|_| with_reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_says_the_state_and_what_threatens_it() {
        let state = |status, expires_in_days, reason| {
            KeyState {
                status,
                expires_in_days,
                reason,
            }
            .text()
        };
        assert_eq!(state(Status::Active, None, None), "Active");
        assert_eq!(state(Status::Active, Some(9), None), "Expires in 9 days");
        assert_eq!(state(Status::Disabled, None, None), "Disabled");
        assert_eq!(
            state(Status::Revoked, None, Some(RevokeReason::LeftTeam)),
            "Revoked · left the team"
        );
        assert_eq!(state(Status::Revoked, None, None), "Revoked");
    }
}
