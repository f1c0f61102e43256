//! Invitations: single-use links with which someone becomes a member of an org (design §2).
//!
//! The link contains a token, of which only the digest is stored, like that of a service token. An invitation is for one
//! e-mail address. Its row is deleted when it is accepted or withdrawn, so a token works at most once.
//!
//! All changes of an org's invitations lock the org first, so that they never wait for each other's rows.

mod accept;
mod accepted;
mod create;
mod list;
mod open;
mod renew;
mod withdraw;

pub use self::{
    accept::{AcceptError, accept, accept_with_new_account, check_room_for, creates_accounts},
    accepted::{Accepted, accepted},
    create::{CreatedInvitation, InviteError, NewInvitation, create},
    list::{Invitation, delete_expired, find, list, page},
    open::{Opened, has_account, open},
    renew::renew,
    withdraw::{WithdrawError, withdraw},
};

pub use crate::link_token::InvitationToken;

use crate::{access::has_required_factor, time::DAY};

/// How long an invitation can be accepted, in milliseconds.
pub const LIFETIME: i64 = 7 * DAY;
/// The maximum number of an org's invitations that can be accepted.
pub const MAX_OPEN: i64 = 100;

/// The SQL condition that a row of `invitations` still stands: the owner who invited still is one, and can sign in, with the
/// second factor that the org requires. Otherwise someone who was removed could come back with a link that they had kept. The
/// operator's invitations always stand.
const STANDS: &str = concat!(
    "(invitations.created_by IS NULL OR EXISTS (SELECT 1 FROM memberships AS inviting \
     JOIN users AS inviters ON inviters.id = inviting.user_id AND inviters.disabled_at IS NULL \
     JOIN orgs AS inviting_to ON inviting_to.id = inviting.org_id AND ",
    has_required_factor!("inviters", "inviting_to"),
    " WHERE inviting.org_id = invitations.org_id AND inviting.user_id = invitations.created_by \
     AND inviting.role = 'owner'))"
);
