//! The data of the page "Second factor".

use latchkey::{
    accounts::{
        self,
        second_factor::{self, SecondFactor},
    },
    key_requests::count_of_caller,
    orgs,
};

use crate::{error::AppError, request::PageRequest};

/// The user's second factor.
#[derive(Debug, Clone)]
pub struct TwoFactor {
    /// The user's e-mail address.
    pub email: String,
    pub factor: Option<SecondFactor>,
    /// The organizations that require one.
    pub required_by: Vec<RequiringOrg>,
}

/// An organization that requires a second factor. The user can leave it.
#[derive(Debug, Clone)]
pub struct RequiringOrg {
    pub slug: String,
    pub name: String,
    /// The number of the user's requests for keys that would end with their membership.
    pub waiting: i64,
}

/// Loads the user's second factor.
pub async fn two_factor(request: PageRequest) -> Result<TwoFactor, AppError> {
    let user_id = request.user_id().await?;
    let user = accounts::find_user(request.engine(), user_id).await?;
    let mut required_by = Vec::new();
    for org in orgs::requiring_second_factor(request.engine(), user_id).await? {
        let slug = org.slug.to_string();
        // Before the user asks to leave, the page shows no number.
        let waiting = match request.parameter("leave") == slug {
            true => match request.permit_to_leave(&slug).await {
                Ok(permit) => count_of_caller(request.engine(), &permit).await?,
                Err(AppError::NotFound | AppError::NoLongerMember(_)) => continue,
                Err(error) => return Err(error),
            },
            false => 0,
        };
        required_by.push(RequiringOrg {
            slug,
            name: org.name.to_string(),
            waiting,
        });
    }
    Ok(TwoFactor {
        email: user.ok_or(AppError::SignedOut)?.email.to_string(),
        factor: second_factor::of_user(request.engine(), user_id).await?,
        required_by,
    })
}
