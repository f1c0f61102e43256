//! The server functions: what the islands in a page ask the server for. Each is one operation, which a page's form may ask
//! for too.

use leptos::prelude::*;

use crate::{error::AppError, values::progress::Progress};

/// Whether the last change of a key of `org`, a slug, is in effect on every instance.
#[server(prefix = "/api", endpoint = "keys/in-effect")]
pub async fn in_effect(org: String, key: String) -> Result<Progress, AppError> {
    use crate::operations::{answer, in_effect::in_effect};
    answer(async |request| in_effect(request, &org, &key).await).await
}
