//! The report of an open page, which is sent to it while it is open.

use latchkey::{Engine, access::Membership};

use super::{data::usage_of, page::report_html};
use crate::{error::AppError, text::query::value_of, values::usage::range_of};

/// The longest query in bytes of a page that updates itself.
pub const MAX_QUERY: usize = 2_000;

/// Returns the report of the page with this query, as a member sees it.
///
/// # Errors
/// If the role does not allow it, or the database cannot be reached.
pub async fn live_usage(
    engine: &Engine,
    membership: &Membership,
    query: &str,
) -> Result<String, AppError> {
    let range = range_of(&value_of(query, "range"));
    Ok(report_html(usage_of(engine, membership, range).await?))
}
