//! The plain forms of the keys' pages, beside the one that creates a key: as they are sent, and what comes of them.

pub mod bulk;
pub mod domains;
pub mod edit;
pub mod import;
pub mod rotate;

use latchkey::{Engine, access::{AccessError, Membership, Permit, Permitted}, caller::Person, name::Slug};

use crate::error::AppError;

/// The permit of a person to do `A` in `org`, a slug.
pub async fn permit<A: Permitted>(
    engine: &Engine,
    person: Person,
    org: &str,
) -> Result<Permit<A>, AppError> {
    // What cannot be a slug names no org.
    let slug: Slug = org.parse().map_err(|_| AccessError::NotFound)?;
    Ok(Membership::find(engine, person, &slug).await?.permit()?)
}

