//! Who looks at a page, and at which org.

use latchkey::{accounts, orgs, role::Role};

use crate::{error::AppError, request::PageRequest};

/// Who looks at a page, and at which org.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The person's name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// The org of the page; where the page is no org's, their first one.
    pub org: Option<OrgLink>,
    /// Every org they are in, by name.
    pub orgs: Vec<OrgLink>,
}

/// An org, as one who is in it sees it on the side.
#[derive(Debug, Clone)]
pub struct OrgLink {
    /// Its name in addresses.
    pub slug: String,
    pub name: String,
    /// The person's role in it.
    pub role: Role,
}

/// Who is signed in, and the orgs they are in.
pub async fn viewer(request: PageRequest) -> Result<Viewer, AppError> {
    let engine = request.engine();
    let user_id = request.user_id().await?;
    let user = accounts::find_user(engine, user_id)
        .await?
        .ok_or(AppError::SignedOut)?;
    let orgs: Vec<OrgLink> = orgs::of_user(engine, user_id)
        .await?
        .into_iter()
        .map(|(org, role)| OrgLink {
            slug: org.slug.to_string(),
            name: org.name.to_string(),
            role,
        })
        .collect();
    let of_page = orgs.iter().find(|org| org.slug == request.org());
    Ok(Viewer {
        name: user.name.to_string(),
        email: user.email.to_string(),
        // Whoever asks for the page of an org that they are not in is told so in the page, and led back by their own org.
        org: of_page.or(orgs.first()).cloned(),
        orgs,
    })
}
