//! `/account/export`: what is stored about the signed-in user, as a JSON file.

use axum::{
    Json,
    extract::{Request, State},
    http::{Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use latchkey::{
    accounts::export::{EntryData, PersonalData, export},
    time::{Rfc3339, Timestamp},
};
use latchkey_app::{AppError, PageRequest, Site};
use serde_json::{Value, json};

use crate::{csv_file::page_instead, same_site::is_from_another_site};

/// The page with the link to the file.
const PAGE: &str = "/account";

/// Exports the data of the signed-in user.
pub async fn show(State(site): State<Site>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if is_from_another_site(&parts) {
        return Redirect::to(PAGE).into_response();
    }
    let data = match PageRequest::of(site.clone(), parts.clone()).await {
        Ok(request) => load(&request).await,
        Err(error) => Err(error),
    };
    match data {
        Ok(data) => {
            let headers = [
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"latchkey-account.json\"",
                ),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, Json(document(&data))).into_response()
        }
        Err(error) => {
            let mut parts = parts;
            parts.uri = Uri::from_static(PAGE);
            page_instead(&site, parts, &error).await
        }
    }
}

async fn load(request: &PageRequest) -> Result<PersonalData, AppError> {
    let person = request.person().await?;
    export(request.engine(), &person)
        .await?
        .ok_or(AppError::SignedOut)
}

fn document(data: &PersonalData) -> Value {
    let account = &data.account;
    let memberships = data.memberships.iter().map(|membership| {
        json!({
            "org": { "id": membership.org.id, "slug": membership.org.slug, "name": membership.org.name },
            "role": membership.role,
            "joined_at": membership.created_at.rfc3339(),
        })
    });
    let sessions = data.sessions.iter().map(|session| {
        json!({
            "started_at": session.created_at.rfc3339(),
            "expires_at": session.expires_at.rfc3339(),
            "browser": session.client.map(|client| client.to_string()),
            "system": session.system.map(|system| system.to_string()),
            "network": session.network,
        })
    });
    let requests = data.requests.iter().map(|request| {
        json!({
            "org_id": request.org_id,
            "name": request.name,
            "purpose": request.purpose,
            "requested_at": request.created_at.rfc3339(),
            "state": request.state,
        })
    });
    let decisions = data.decisions.iter().map(|decision| {
        json!({
            "org_id": decision.org_id,
            "request_id": decision.id,
            "decision": if decision.approved { "approved" } else { "declined" },
            "comment": decision.comment,
            "decided_at": decision.decided_at.rfc3339(),
        })
    });
    let reviews = data.reviews.iter().map(|review| {
        json!({
            "org_id": review.org_id,
            "key_id": review.key_id,
            "verdict": review.verdict,
            "comment": review.comment,
            "reviewed_at": review.at.rfc3339(),
        })
    });
    let answers = data.answers.iter().map(|answer| {
        json!({
            "org_id": answer.org_id,
            "key_id": answer.key_id,
            "answer": answer.answer,
            "answered_at": answer.answered_at.rfc3339(),
            "promise": answer.is_promise,
        })
    });
    json!({
        "account": {
            "id": account.id,
            "name": account.name,
            "email": account.email,
            "created_at": account.created_at.rfc3339(),
            "last_seen_at": at(account.last_seen_at),
            "operator_since": at(account.operator_since),
        },
        "memberships": memberships.collect::<Value>(),
        "sessions": sessions.collect::<Value>(),
        "key_requests": requests.collect::<Value>(),
        "key_request_decisions": decisions.collect::<Value>(),
        "reviews": reviews.collect::<Value>(),
        "review_answers": answers.collect::<Value>(),
        "audit_log": data.entries.iter().map(entry).collect::<Value>(),
        "audit_log_has_older_entries": data.has_more_entries,
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
