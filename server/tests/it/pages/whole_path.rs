//! From an empty Latchkey to a revoked key, for a person without JavaScript and an API server.

use serde_json::json;

use crate::{
    pages::new_key::{secret_key_fields, shown_key},
    test_app::{TestApp, org::PASSWORD},
};

on_both! {
    async fn sign_up_make_a_key_verify_it_see_it_used_revoke_it(app: &TestApp) {
        let browser = app.browser();
        assert_eq!(browser.get("/").await.header("location"), "/sign-up");
        let fields = [("name", "Dana"), ("email", "dana@example.com"), ("org_name", "Northwind Traders"), ("password", PASSWORD), ("code", &app.setup_code())];
        let signed_up = browser.submit("/sign-up", &fields).await;
        assert!(signed_up.status.is_redirection(), "{signed_up:?}");
        assert_eq!(signed_up.header("location"), "/orgs/northwind-traders/keys");
        assert!(browser.get("/orgs/northwind-traders/keys").await.body.contains("No keys yet"));

        let key = shown_key(&browser.submit("/orgs/northwind-traders/keys/new", &secret_key_fields("Production")).await);
        let (token, question) = (app.service_token().await, json!({"key": key}).to_string());
        let answer = app.post_verify(Some(&token), &question).await.json();
        assert_eq!((&answer["code"], &answer["key"]["name"]), (&json!("VALID"), &json!("Production")));

        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        let usage = browser.get("/orgs/northwind-traders/usage").await.body;
        assert!(usage.contains("Production"), "{usage}");

        let id = answer["key"]["id"].as_str().unwrap().to_owned();
        let page = format!("/orgs/northwind-traders/keys/{id}");
        let revoked = browser.submit(&page, &[("change", "revoke"), ("reason", "compromised")]).await;
        assert_eq!(revoked.header("location"), page);
        assert!(browser.get(revoked.header("location")).await.body.contains("Revoked"));
        let answer = app.post_verify(Some(&token), &question).await.json();
        assert_eq!((&answer["code"], &answer["reason"]), (&json!("INVALID_API_KEY"), &json!("revoked")));
    }
}
