//! What is sent by mail, and the single-use links in it.

mod accounts;
mod addresses;
mod digest;
mod invitations;
mod key_requests;
mod program;
mod resets;
mod roles;
mod sending;
mod sign_up;

use crate::test_app::{Browser, HttpAnswer};

/// Requests a link for a new password.
async fn forget(browser: &Browser, email: &str) -> HttpAnswer {
    browser
        .submit("/forgot-password", &[("email", email)])
        .await
}

/// The parts of two answers to requests for two addresses must be equal.
fn assert_same(known: (&HttpAnswer, &str), unknown: (&HttpAnswer, &str)) {
    let (known, known_email) = known;
    let (unknown, unknown_email) = unknown;
    assert_eq!(known.status, unknown.status);
    assert_eq!(known.header("location"), unknown.header("location"));
    let text = |answer: &HttpAnswer, email| answer.without_nonces().replace(email, "ADDRESS");
    assert_eq!(text(known, known_email), text(unknown, unknown_email));
}
