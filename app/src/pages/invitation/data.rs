//! The data of an invitation's page.

use latchkey::{
    accounts,
    invitations::{self, InvitationToken, Opened},
    orgs,
};

use crate::{error::AppError, request::PageRequest};

/// An invitation, for someone who has its link.
#[derive(Debug, Clone)]
pub struct Invited {
    pub opened: Opened,
    pub viewer: Viewer,
    /// Whether someone without an account can create one.
    pub creates_accounts: bool,
}

/// Who opened the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody is signed in.
    SignedOut,
    /// A user with the invitation's address.
    Invited,
    /// A user with the invitation's address, who is a member already.
    Member,
    /// A user with this other address.
    Other(String),
}

/// The token in the path.
///
/// # Errors
/// [`AppError::LinkIncomplete`] if the path has no token.
pub fn token(request: &PageRequest) -> Result<InvitationToken, AppError> {
    request
        .id("token")
        .map_err(|_: AppError| AppError::LinkIncomplete)
}

/// Loads the invitation of the token in the path. Anyone who has the token can see it.
pub async fn invited(request: PageRequest) -> Result<Invited, AppError> {
    let token = token(&request)?;
    let opened = invitations::open(request.engine(), &token).await?;
    let opened = opened.ok_or(AppError::Gone)?;
    let viewer = viewer(&request, &opened).await?;
    Ok(Invited {
        opened,
        viewer,
        creates_accounts: invitations::creates_accounts(request.engine()),
    })
}

/// Who opened the invitation.
///
/// # Errors
/// If the database cannot be reached.
pub async fn viewer(request: &PageRequest, opened: &Opened) -> Result<Viewer, AppError> {
    let engine = request.engine();
    let user_id = match request.user_id().await {
        Ok(user_id) => user_id,
        Err(AppError::SignedOut) => return Ok(Viewer::SignedOut),
        Err(error) => return Err(error),
    };
    let Some(user) = accounts::find_user(engine, user_id).await? else {
        return Ok(Viewer::SignedOut);
    };
    if user.email != opened.email {
        return Ok(Viewer::Other(user.email.to_string()));
    }
    let orgs = orgs::of_user(engine, user_id).await?;
    let is_member = orgs.iter().any(|(org, _)| org.id == opened.org.id);
    Ok(if is_member {
        Viewer::Member
    } else {
        Viewer::Invited
    })
}
