//! An invitation with its link, for the page that shows the link once.

use std::sync::Arc;

use latchkey::{invitations::InvitationToken, role::Role};

use crate::site::Addresses;

/// An invitation whose link was just created.
#[derive(Debug, Clone)]
pub struct CreatedInvitation {
    pub token: Arc<InvitationToken>,
    pub email: String,
    pub role: Role,
    /// The expiry date: "Nov 28, 2026, 12:00 UTC".
    pub expires: String,
    /// The path of the page that lists invitations.
    pub path: String,
    /// The URL in the link.
    pub addresses: Arc<Addresses>,
}

impl CreatedInvitation {
    /// The link to send to the invited person.
    pub fn link(&self) -> String {
        let public_url = &self.addresses.public_url;
        format!("{public_url}/invitations/{}", self.token.expose())
    }
}
