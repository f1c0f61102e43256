//! The signed-in user and the organization of the page.

use latchkey::{
    Engine,
    access::{Membership, Operator, to},
    accounts,
    findings::list::count_attention,
    key::secret_text::SecretPrefixes,
    key_requests::count_open,
    orgs::{self, create_own},
    reviews::count_asked,
    role::{Action, Rights},
};

use crate::{error::AppError, pages::key_requests::rules::count_revealable, request::PageRequest};

/// The signed-in user and the organization of the page.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// Whether the user has shown that the address is theirs.
    pub email_confirmed: bool,
    /// The organization of the page, or, if the page belongs to none, that of the last page or the user's first one.
    pub org: Option<OrgLink>,
    /// The user's organizations, by name.
    pub orgs: Vec<OrgLink>,
    /// The operator that the user is, if they are one.
    pub operator: Option<Operator>,
    /// Whether the user can create organizations.
    pub may_create_org: bool,
    /// By which secrets are recognized.
    pub secrets: SecretPrefixes,
}

/// An organization in the navigation.
#[derive(Debug, Clone)]
pub struct OrgLink {
    /// The slug in its URLs.
    pub slug: String,
    pub name: String,
    /// The user's permissions.
    pub rights: Rights,
    /// The number of keys that need attention, for roles that can see why.
    pub attention: i64,
    /// How much reviewers ask of the user, for owners.
    pub asked: i64,
    /// The number of requests for keys that wait for the user: as an owner for a decision, otherwise to be revealed.
    pub requests: i64,
}

/// Loads the signed-in user and their organizations.
pub async fn viewer(request: PageRequest) -> Result<Viewer, AppError> {
    let engine = request.engine();
    let user_id = request.user_id().await?;
    let user = accounts::find_user(engine, user_id)
        .await?
        .ok_or(AppError::SignedOut)?;
    let orgs: Vec<OrgLink> = orgs::of_user(engine, user_id)
        .await?
        .into_iter()
        .map(|(org, rights)| OrgLink {
            slug: org.slug.to_string(),
            name: org.name.to_string(),
            rights,
            attention: 0,
            asked: 0,
            requests: 0,
        })
        .collect();
    let of_page = orgs.iter().find(|org| org.slug == request.org());
    // If the user is not a member of the page's organization, the page shows an error, and the navigation leads to
    // theirs.
    let last = || request.last_org().or_first(&orgs, |org| &org.slug);
    let mut org = of_page.or_else(last).cloned();
    if let Some(org) = org.as_mut() {
        match request.membership_of(&org.slug).await {
            Ok(membership) => count(engine, &membership, org).await?,
            // Nothing of the organization is shown until the user has a second factor.
            Err(AppError::SecondFactorNeeded(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let operator = Operator::signed_in(engine, request.person().await?).await?;
    Ok(Viewer {
        may_create_org: create_own::may_create(engine, operator.as_ref()),
        operator,
        name: user.name.to_string(),
        email: user.email.to_string(),
        email_confirmed: user.email_confirmed,
        org,
        orgs,
        secrets: SecretPrefixes::of(engine.convention()),
    })
}

/// Counts what waits for the user in the organization of the page.
async fn count(
    engine: &Engine,
    membership: &Membership,
    org: &mut OrgLink,
) -> Result<(), AppError> {
    if let Some(permit) = membership.permit_if_allowed::<to::SeeKeyDetails>() {
        org.attention = count_attention(engine, &permit).await?;
        if org.rights.may(Action::AnswerReviews) {
            org.asked = count_asked(engine, &permit).await?;
        }
    }
    org.requests = match membership.permit_if_allowed::<to::DecideKeyRequests>() {
        Some(permit) => count_open(engine, &permit).await?,
        None => count_revealable(engine, membership).await?,
    };
    Ok(())
}
