//! The data of the page "Second factor".

use latchkey::accounts::{
    self,
    second_factor::{self, SecondFactor},
};

use crate::{error::AppError, request::PageRequest};

/// The user's second factor.
#[derive(Debug, Clone)]
pub struct TwoFactor {
    /// The user's e-mail address.
    pub email: String,
    pub factor: Option<SecondFactor>,
}

/// Loads the user's second factor.
pub async fn two_factor(request: PageRequest) -> Result<TwoFactor, AppError> {
    let user_id = request.user_id().await?;
    let user = accounts::find_user(request.engine(), user_id).await?;
    Ok(TwoFactor {
        email: user.ok_or(AppError::SignedOut)?.email.to_string(),
        factor: second_factor::of_user(request.engine(), user_id).await?,
    })
}
