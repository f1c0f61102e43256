//! Changing a key with the API.

use latchkey::verify::Request;
use serde_json::{Value, json};

use crate::test_app::{
    TestApp,
    org::{secret_key, widget_key},
    said,
};

on_both! {
    async fn what_is_left_out_stays_and_null_empties(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.create_key(secret_key("Production")).await.unwrap());
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        let before = api.get(&path).await.json();
        assert_eq!(api.patch(&path, &json!({})).await.json(), before);
        let change = json!({
            "name": "Server", "scopes": ["bots:read"], "expires_at": "2027-01-01T00:00:00.000Z", "notes": "moved",
            "ip_ranges": ["192.0.2.0/24"], "metadata": {"plan": "gold"}, "external_id": "user_1",
        });
        let changed = api.patch(&path, &change).await;
        assert_eq!(changed.status, 200);
        for (field, value) in change.as_object().unwrap() {
            assert_eq!(&changed.json()[field], value);
        }
        assert_eq!(said(&app.verify(&made.plain).await), "IP_NOT_ALLOWED", "a change takes effect immediately");
        let emptied = api.patch(&path, &json!({"scopes": null, "expires_at": null, "notes": null, "ip_ranges": null, "metadata": null, "external_id": null})).await;
        let emptied = emptied.json();
        assert_eq!(emptied["external_id"], Value::Null);
        assert_eq!((&emptied["name"], &emptied["expires_at"], &emptied["metadata"]), (&json!("Server"), &Value::Null, &json!({})));
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn the_domains_of_a_widget_key_are_changed_as_a_whole(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap());
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        let at = async |origin| said(&app.ask(&Request { key: Some(&made.plain), origin: Some(origin), ..Request::default() }).await);
        assert_eq!(at("https://new.example").await, "ORIGIN_NOT_ALLOWED");
        let changed = api.patch(&path, &json!({"domains": ["new.example"], "localhost_forbidden": true})).await;
        assert_eq!(changed.json()["domains"], json!(["new.example"]));
        assert_eq!((at("https://new.example").await, at("https://shop.example").await), ("VALID".into(), "ORIGIN_NOT_ALLOWED".into()));
        assert_eq!(at("http://localhost:3000").await, "ORIGIN_NOT_ALLOWED");
    }

    async fn what_will_not_do_changes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let (api, made) = (app.api().await, org.key("Production").await);
        let path = format!("/v1/orgs/northwind/keys/{}", made.id);
        let before = api.get(&path).await.json();
        for (body, field) in [
            (json!({"name": ""}), "name"),
            (json!({"name": null}), "name"),
            (json!({"project": null}), "project"),
            (json!({"project": "prj_00000000000000000000000000000000"}), "project"),
            (json!({"scopes": ["made:up"]}), "scopes"),
            (json!({"domains": ["shop.example"]}), "domains"),
            (json!({"expires_at": "2026-11-21T12:00:00Z"}), "expires_at"),
            (json!({"ip_ranges": ["10.0.0.5/8"]}), "ip_ranges"),
            (json!({"notes": "x".repeat(2_001)}), "notes"),
            (json!({"kind": "widget"}), "kind"),
            (json!({"environment": "test"}), "environment"),
            (json!({"status": "disabled"}), "status"),
        ] {
            let answer = api.patch(&path, &body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["field"]), (422, &json!(field)), "{body}");
        }
        assert_eq!(api.get(&path).await.json(), before);
        api.post(&format!("{path}/revoke"), &json!({"reason": "other"})).await;
        let revoked = api.patch(&path, &json!({"name": "Other"})).await;
        assert_eq!((revoked.status.as_u16(), &revoked.json()["code"]), (409, &json!("WRONG_STATE")));
    }

    async fn another_orgs_key_is_not_changed(app: &TestApp) {
        app.org("northwind").await;
        let (api, theirs) = (app.api().await, app.org("contoso").await.key("Production").await);
        let answer = api.patch(&format!("/v1/orgs/northwind/keys/{}", theirs.id), &json!({"name": "Mine"})).await;
        assert_eq!(answer.status, 404);
        assert_eq!(app.database.texts("SELECT name FROM keys").await, ["Production"]);
    }
}
