//! The filter by key takes a name, too. URLs and the API have the ID.

use latchkey::{
    access::Membership,
    id::KeyId,
    keys::{
        KeySummary,
        list::{KeyQuery, list},
    },
    usage::question::InvalidParameter,
};

use super::address::Address;
use crate::{error::AppError, request::PageRequest};

/// The most keys with a name, or with a part of it, among which one is found.
const MOST: u16 = 100;

/// Replaces the name of a key in the address by its ID. Other members than owners and admins have no such filter.
///
/// # Errors
/// If the database cannot be reached.
pub async fn with_id(
    request: &PageRequest,
    membership: &Membership,
    address: Address,
) -> Result<Result<Address, InvalidParameter>, AppError> {
    let name = address.value("key").trim();
    let is_name = !name.is_empty() && name.parse::<KeyId>().is_err();
    if !is_name || address.values("key").count() > 1 {
        return Ok(Ok(address));
    }
    let query = KeyQuery {
        search: match name.parse() {
            Ok(search) => search,
            Err(_) => return Ok(Err(invalid("must be a name or an ID"))),
        },
        names_only: true,
        page_size: MOST,
        ..KeyQuery::default()
    };
    let found = list(request.engine(), &membership.permit()?, &query).await?;
    let folded = name.to_lowercase();
    let exact = |key: &&KeySummary| key.name.as_str().to_lowercase() == folded;
    let mut exact = found.keys.iter().filter(exact);
    let key = match (exact.next(), exact.next(), found.keys.as_slice()) {
        (Some(only), None, _) | (None, None, [only]) => only,
        (None, None, []) => {
            let text = format!("“{name}” was not found. Enter a name or an ID");
            return Ok(Err(invalid(text)));
        }
        (Some(_), Some(_), _) => {
            let text = format!("“{name}” is the name of several keys. Enter an ID");
            return Ok(Err(invalid(text)));
        }
        _ => {
            let text = format!("“{name}” is a part of several names. Enter all of one");
            return Ok(Err(invalid(text)));
        }
    };
    let id = key.id.to_string();
    Ok(Ok(address.without(&["key"]).and("key", &id)))
}

fn invalid(problem: impl Into<String>) -> InvalidParameter {
    InvalidParameter {
        parameter: "key",
        problem: problem.into(),
    }
}
