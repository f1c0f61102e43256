//! Requests for keys: a member who cannot create keys asks for one, and an owner decides (design §2).
//!
//! An approval creates nothing. The requester creates the key when they reveal it, once, within [`APPROVED_FOR`], and sees its
//! plaintext as if they had created it themselves, so nobody sends a secret to anybody. The key has the settings of the stored
//! request, and the limits of the organization apply at that time.
//!
//! An approval counts as long as whoever gave it is an owner who can sign in: otherwise the request is open again, until the
//! approval would have ended. The secret of the key's next rotation can be revealed in the same way ([`hand_over`]). Requests of someone who leaves the organization are withdrawn. All changes lock the organization
//! first, so that they never wait for each other's rows, and roles do not change meanwhile.

mod ask;
mod decide;
mod edit;
pub mod hand_over;
mod letters;
mod list;
pub(crate) mod of_member;
mod retention;
mod reveal;
mod row;
mod wanted;
mod withdraw;

use strum::{Display, EnumString};

pub use self::{
    ask::{AskError, NewRequest, ask, check},
    decide::{DecideError, approve, decline},
    edit::edit,
    list::{
        Page, any_of, count_approved, count_open, find, find_own, list_all, list_approved,
        list_open, list_own, own_of,
    },
    of_member::{count_of_caller, count_of_members},
    retention::delete_old,
    reveal::{RevealError, Revealed, reveal},
    wanted::Wanted,
    withdraw::{WithdrawError, withdraw},
};

use serde_json::{Map, Value};

use crate::{
    change::Happened,
    event::{Event, Target},
    id::{KeyId, KeyRequestId, UserId},
    name::{DisplayName, is_seen},
    nfc::nfc,
    time::{DAY, Timestamp},
};

/// How long an approved key can be revealed, in milliseconds.
pub const APPROVED_FOR: i64 = 7 * DAY;
/// The maximum number of requests of a person in an organization that are open, or approved and not yet used.
pub const MAX_OF_PERSON: i64 = 5;
/// The maximum number of requests of a person in an organization within 24 hours, whatever became of them.
pub const MAX_PER_DAY: i64 = 20;
/// The maximum number of requests in an organization that are open, or approved and not yet used.
pub const MAX_OF_ORG: i64 = 200;
/// The maximum length of a purpose, in characters.
pub const MAX_PURPOSE: usize = 500;
/// The maximum length of a comment, in characters.
pub const MAX_COMMENT: usize = 500;

/// What has become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// It waits for an owner.
    Open,
    /// It waits for the requester.
    Approved,
    /// An owner declined it.
    Declined,
    /// The requester withdrew it, or left the organization.
    Withdrawn,
    /// The requester has revealed the key.
    Created,
    /// It was approved, and nobody revealed the key in time.
    Expired,
}

crate::db::text_column!(State);

/// A request for a key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRequest {
    /// The request's ID.
    pub id: KeyRequestId,
    /// The person who asks.
    pub requester: (UserId, DisplayName),
    /// What the key is for.
    pub purpose: String,
    /// The key, as owners have changed it.
    pub wanted: Wanted,
    /// The key as it was asked for, if an owner has changed that.
    pub asked: Option<Wanted>,
    /// What has become of it.
    pub state: State,
    /// Counts the changes by owners, so that nobody approves what they have not seen.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The owner who last changed what was asked for.
    pub changed_by: Option<DisplayName>,
    /// The last decision. If the request is open nonetheless, the approval no longer counts.
    pub decision: Option<Decision>,
    /// The key that was created.
    pub key: Option<KeyId>,
}

/// The decision of an owner.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The owner.
    pub by: (UserId, DisplayName),
    /// When.
    pub at: Timestamp,
    /// What they said; can be empty.
    pub comment: String,
    /// Until when the key can be revealed. `None` for a request that was declined.
    pub until: Option<Timestamp>,
}

impl KeyRequest {
    /// The key to begin with if the requester asks again: what was asked for, or what was approved and not revealed in time.
    pub fn to_ask_again(&self) -> &Wanted {
        let asked = self.asked.as_ref();
        asked
            .filter(|_| self.state != State::Expired)
            .unwrap_or(&self.wanted)
    }

    /// What owners have changed, by field: `{"from": what was asked for, "to": …}`.
    pub fn changes(&self) -> Map<String, Value> {
        let updated = Happened::new(Event::KeyRequestUpdated, Target::KeyRequest(self.id));
        match &self.asked {
            Some(asked) => asked.differences(&self.wanted, updated).changes,
            None => Map::new(),
        }
    }

    /// The approval that no longer counts, since whoever gave it could not give it any more.
    pub fn lapsed(&self) -> Option<&Decision> {
        self.decision.as_ref().filter(|_| self.state == State::Open)
    }
}

/// The stored form of a purpose or a comment. Empty if nothing of it is seen.
fn text(typed: &str) -> String {
    let typed = typed.replace("\r\n", "\n").replace('\0', "");
    match is_seen(&typed) {
        true => nfc(typed.trim()).into_owned(),
        false => String::new(),
    }
}
