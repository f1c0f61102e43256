//! The list of running instances.

use latchkey::{instances, time::SECOND};

use crate::test_app::{NOON, TestApp};

on_both! {
    async fn instances_are_listed_from_their_first_heartbeat_until_they_end_or_are_silent(app: &TestApp) {
        let (api, other) = (app.api().await, app.another_engine(|_| {}).await);
        let listed = async || api.get("/v1/instances").await.json()["data"].as_array().unwrap().len();
        assert_eq!(listed().await, 0);
        for engine in [&*app.engine, &*other] {
            instances::beat(engine, "1.2.3", NOON).await.unwrap();
        }
        let first = api.get("/v1/instances").await.json()["data"][0].clone();
        assert_eq!((first["version"].as_str(), first["started_at"].as_str()), (Some("1.2.3"), Some("2026-11-21T12:00:00.000Z")));
        assert_eq!(listed().await, 2);
        app.pass(9 * SECOND).await;
        instances::beat(&other, "1.2.3", NOON).await.unwrap();
        app.pass(SECOND).await;
        assert_eq!(listed().await, 1);
        instances::leave(&other).await.unwrap();
        assert_eq!(listed().await, 0);
    }
}
