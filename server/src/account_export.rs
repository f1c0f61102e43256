//! `/account/export`: what is stored about the signed-in user, as a JSON file.

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use latchkey::{
    accounts::export::{AccountData, EntryData, Export, Part},
    time::{Rfc3339, Timestamp},
};
use latchkey_app::{AppError, PageRequest, Site};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    csv_file::page_instead,
    file_stream::{FileParts, streamed},
    same_site::is_from_another_site,
};

/// The page with the link to the file.
const PAGE: &str = "/account";

/// Exports the data of the signed-in user.
pub async fn show(State(site): State<Site>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts) {
        return Redirect::to(PAGE).into_response();
    }
    let opened = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => open(&request).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok((first, file)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"latchkey-account.json\"",
                ),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, streamed(first, file)).into_response()
        }
        Err(error) => {
            let mut parts = parts;
            parts.uri = Uri::from_static(PAGE);
            page_instead(&site, parts, &error).await
        }
    }
}

/// Begins the export, and reads the first part, so that most errors occur before anything is sent.
async fn open(request: &PageRequest) -> Result<(Bytes, AccountFile), AppError> {
    let person = request.person().await?;
    let mut file = AccountFile {
        export: Export::begin(request.engine(), &person).await?,
        last: "",
        is_whole: false,
    };
    let first = file.next().await?.ok_or(AppError::SignedOut)?;
    file.export.note();
    Ok((first, file))
}

/// The file: one JSON object, whose fields come in the order of the parts.
struct AccountFile {
    export: Export,
    /// The field that was written last.
    last: &'static str,
    is_whole: bool,
}

impl FileParts for AccountFile {
    fn lost(&self) -> CancellationToken {
        self.export.lost()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, AppError> {
        if self.is_whole {
            return Ok(None);
        }
        let last = self.last;
        let part = self.export.next(move |part| written(part, last)).await?;
        // The session can end while the file is sent: it must not look as if it were whole.
        let (text, field) = part.ok_or(AppError::SignedOut)?;
        (self.last, self.is_whole) = (field, field == HAS_MORE);
        Ok(Some(text.into()))
    }
}

/// The last field.
const HAS_MORE: &str = "audit_log_has_older_entries";

/// Returns a part as text that follows the field `last`, and the field that it belongs to.
fn written(part: Part, last: &str) -> (String, &'static str) {
    let (field, values): (&str, Vec<Value>) = match part {
        Part::Account(data) => return (format!("{{\"account\":{}", account(&data)), "account"),
        Part::HasMoreEntries(has_more) => {
            return (format!("],\"{HAS_MORE}\":{has_more}}}"), HAS_MORE);
        }
        Part::Memberships(rows) => {
            let memberships = rows.iter().map(|membership| {
                json!({
                    "org": { "id": membership.org.id, "slug": membership.org.slug, "name": membership.org.name },
                    "role": membership.role,
                    "joined_at": membership.created_at.rfc3339(),
                })
            });
            ("memberships", memberships.collect())
        }
        Part::Sessions(rows) => {
            let sessions = rows.iter().map(|session| {
                json!({
                    "started_at": session.created_at.rfc3339(),
                    "expires_at": session.expires_at.rfc3339(),
                    "browser": session.client.map(|client| client.to_string()),
                    "system": session.system.map(|system| system.to_string()),
                    "network": session.network,
                })
            });
            ("sessions", sessions.collect())
        }
        Part::Requests(rows) => {
            let requests = rows.iter().map(|request| {
                json!({
                    "org_id": request.org_id,
                    "name": request.name,
                    "purpose": request.purpose,
                    "requested_at": request.created_at.rfc3339(),
                    "state": request.state,
                })
            });
            ("key_requests", requests.collect())
        }
        Part::Decisions(rows) => {
            let decisions = rows.iter().map(|decision| {
                json!({
                    "org_id": decision.org_id,
                    "request_id": decision.id,
                    "decision": if decision.approved { "approved" } else { "declined" },
                    "comment": decision.comment,
                    "decided_at": decision.decided_at.rfc3339(),
                })
            });
            ("key_request_decisions", decisions.collect())
        }
        Part::Reviews(rows) => {
            let reviews = rows.iter().map(|review| {
                json!({
                    "org_id": review.org_id,
                    "key_id": review.key_id,
                    "verdict": review.verdict,
                    "comment": review.comment,
                    "reviewed_at": review.at.rfc3339(),
                })
            });
            ("reviews", reviews.collect())
        }
        Part::Answers(rows) => {
            let answers = rows.iter().map(|answer| {
                json!({
                    "org_id": answer.org_id,
                    "key_id": answer.key_id,
                    "answer": answer.answer,
                    "answered_at": answer.answered_at.rfc3339(),
                    "promise": answer.is_promise,
                })
            });
            ("review_answers", answers.collect())
        }
        Part::Entries(rows) => ("audit_log", rows.iter().map(entry).collect()),
    };
    let rows: Vec<String> = values.iter().map(ToString::to_string).collect();
    let rows = rows.join(",");
    let text = match last {
        "account" => format!(",\"{field}\":[{rows}"),
        same if same == field => format!(",{rows}"),
        _ => format!("],\"{field}\":[{rows}"),
    };
    (text, field)
}

fn account(account: &AccountData) -> Value {
    json!({
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "created_at": account.created_at.rfc3339(),
        "last_seen_at": at(account.last_seen_at),
        "operator_since": at(account.operator_since),
    })
}

fn entry(entry: &EntryData) -> Value {
    json!({
        "at": entry.at.rfc3339(),
        "event": entry.event,
        "via": entry.via,
        "org_id": entry.org_id,
        "target_kind": entry.target_kind,
        "target_id": entry.target_id,
        "address": entry.address.as_ref().or(entry.network.as_ref()),
        "client": entry.client,
        "request_id": entry.request_id,
    })
}

fn at(time: Option<Timestamp>) -> Option<Rfc3339> {
    time.map(Timestamp::rfc3339)
}
