//! Members in the REST API.

use latchkey::{id::UserId, role::Role};
use serde_json::{Value, json};

use crate::test_app::{TestApp, org::PASSWORD};

const PATH: &str = "/v1/orgs/northwind/members";

on_both! {
    async fn members_are_listed_with_when_they_were_last_here(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        app.clock.advance(1_000);
        org.person("kim", Role::Member).await;
        app.clock.advance(1_000);
        app.browser().sign_in("dana@northwind.example", PASSWORD).await;
        let api = app.api().await;
        let listed = api.get(&format!("{PATH}?limit=1")).await.json();
        let expected = json!({
            "user": {"id": dana, "name": "dana", "email": "dana@northwind.example"},
            "role": "owner",
            "joined_at": "2026-11-21T12:00:00.000Z",
            "last_seen_at": "2026-11-21T12:00:02.000Z",
            "second_factor": false,
        });
        assert_eq!((&listed["data"][0], &listed["next_cursor"]), (&expected, &json!(dana)));
        let next = api.get(&format!("{PATH}?cursor={dana}")).await.json();
        let kim = &next["data"][0];
        assert_eq!((&kim["user"]["name"], &kim["role"], &kim["last_seen_at"]), (&json!("kim"), &json!("member"), &Value::Null));
        assert_eq!((next["data"].as_array().unwrap().len(), &next["next_cursor"]), (1, &Value::Null));
        for wrong in ["", "usr_1", "org_00000000000000000000000000000000"] {
            assert_eq!(api.get(&format!("{PATH}?cursor={wrong}")).await.status, 400, "{wrong}");
        }
    }

    async fn roles_are_changed_and_members_are_removed(app: &TestApp) {
        let org = app.org("northwind").await;
        let (dana, kim) = (org.person("dana", Role::Owner).await, org.person("kim", Role::Member).await);
        let api = app.api().await;
        let changed = api.patch(&of(kim), &json!({"role": "admin"})).await;
        assert_eq!((changed.status.as_u16(), &changed.json()["role"]), (200, &json!("admin")));
        let last = api.patch(&of(dana), &json!({"role": "member"})).await;
        assert_eq!((last.status.as_u16(), &last.json()["code"]), (409, &json!("LAST_OWNER")));
        assert_eq!(last.json()["detail"], "dana is the only owner. Make someone else an owner first.");
        assert_eq!(api.delete(&of(dana)).await.json()["code"], "LAST_OWNER");
        assert_eq!(api.delete(&of(kim)).await.status, 204);
        assert_eq!(api.delete(&of(kim)).await.status, 404);
        assert_eq!(api.patch(&of(kim), &json!({"role": "owner"})).await.status, 404);
        let wrong = api.patch(&of(dana), &json!({"role": "boss"})).await;
        assert_eq!((wrong.status.as_u16(), &wrong.json()["errors"][0]["detail"]), (422, &json!("must be one of `owner`, `admin`, `member`")));
        let log = api.get("/v1/orgs/northwind/audit?event=member.*").await.json();
        let events: Vec<String> = log["data"].as_array().unwrap().iter().map(|entry| format!("{} {} {}", entry["event"], entry["actor"]["kind"], entry["target"]["name"])).collect();
        assert_eq!(events[..2], [r#""member.removed" "token" "kim""#, r#""member.role_changed" "token" "kim""#]);
    }

    async fn a_member_of_another_org_is_not_found(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let eve = app.org("contoso").await.person("eve", Role::Member).await;
        let api = app.api().await;
        assert_eq!(api.patch(&of(eve), &json!({"role": "owner"})).await.status, 404);
        assert_eq!(api.delete(&of(eve)).await.status, 404);
        assert_eq!(app.database.texts("SELECT role FROM memberships ORDER BY role").await, ["member", "owner"]);
    }
}

fn of(user_id: UserId) -> String {
    format!("{PATH}/{user_id}")
}
