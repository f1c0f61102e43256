//! The data of the page "Second factor".

use latchkey::{
    accounts::{
        self,
        second_factor::{self, SecondFactor},
    },
    orgs,
};

use crate::{error::AppError, request::PageRequest};

/// The user's second factor.
#[derive(Debug, Clone)]
pub struct TwoFactor {
    /// The user's e-mail address.
    pub email: String,
    pub factor: Option<SecondFactor>,
    /// The organizations that require one: slug and name.
    pub required_by: Vec<(String, String)>,
}

/// Loads the user's second factor.
pub async fn two_factor(request: PageRequest) -> Result<TwoFactor, AppError> {
    let user_id = request.user_id().await?;
    let user = accounts::find_user(request.engine(), user_id).await?;
    Ok(TwoFactor {
        email: user.ok_or(AppError::SignedOut)?.email.to_string(),
        factor: second_factor::of_user(request.engine(), user_id).await?,
        required_by: orgs::requiring_second_factor(request.engine(), user_id)
            .await?
            .into_iter()
            .map(|org| (org.slug.to_string(), org.name.to_string()))
            .collect(),
    })
}
