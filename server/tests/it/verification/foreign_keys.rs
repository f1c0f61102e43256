//! Keys that were created elsewhere: they have no checksum, so they are found by their digest alone.

use std::sync::Arc;

use latchkey::{
    Engine,
    convention::Convention,
    key::{
        digest::{Pepper, Peppers},
        text::PlainKey,
    },
    random::Randomness,
    verify::{Request, verify},
};

use crate::test_app::{TestApp, TestOrg, said};

on_both! {
    async fn a_legacy_key_verifies_as_a_secret_one(app: &TestApp) {
        let engine = under(app, "cencori").await;
        let org = TestOrg::make(&engine, "northwind").await;
        let foreign = imported(app, &org, "cen_test_4f9a8b7c6d5e").await;
        let answer = verify(&engine, &Request { key: Some(&foreign), ..Request::default() }).await.unwrap();
        assert_eq!((said(&answer).as_str(), answer.key.unwrap().kind.as_str()), ("VALID", "secret"));
        engine.db().close().await;
        assert_eq!(ask(&engine, &foreign).await, "VALID", "cached like any other key");
    }

    async fn a_key_from_elsewhere_is_found_and_others_like_it_are_not(app: &TestApp) {
        let org = app.org("northwind").await;
        for text in ["sk_0123456789abcdef", "lk_sk_live_short", "-._~with/signs+and=more"] {
            let foreign = imported(app, &org, text).await;
            assert_eq!(ask(&app.engine, &foreign).await, "VALID", "{text}");
            let other = PlainKey::from_presented(format!("{text}x"));
            assert_eq!(ask(&app.engine, &other).await, "INVALID_API_KEY malformed", "{text}");
        }
    }

    async fn where_keys_have_no_prefix_a_key_from_elsewhere_may_look_like_ours(app: &TestApp) {
        let engine = under(app, "talkifai").await;
        let org = TestOrg::make(&engine, "northwind").await;
        let foreign = imported(app, &org, "0123456789abcdef0123456789abcdef").await;
        assert_eq!(ask(&engine, &foreign).await, "VALID");
        let ours = org.key("Ours").await.plain;
        assert_eq!((ours.expose().len(), ask(&engine, &ours).await.as_str()), (32, "VALID"));
    }

    async fn which_texts_are_looked_up(app: &TestApp) {
        let ours = PlainKey::generate("lk_sk_live_", 26, &Randomness::seeded(1)).unwrap();
        let last = if ours.expose().ends_with('0') { "1" } else { "0" };
        let miswritten = format!("{}{last}", &ours.expose()[..ours.expose().len() - 1]);
        let too_long = "x".repeat(257);
        app.engine.db().close().await;
        for (text, is_looked_up) in [
            (ours.expose(), true),
            (&miswritten, false),
            ("cen_4f9a8b7c6d5e", true),
            ("lk_sk_live_short", true),
            ("with space", false),
            ("clé", false),
            (&too_long, false),
        ] {
            let expected = if is_looked_up { "no answer" } else { "INVALID_API_KEY malformed" };
            assert_eq!(ask(&app.engine, &PlainKey::from_presented(text)).await, expected, "{text}");
        }
    }

    async fn a_foreign_text_that_is_no_key_is_remembered_as_such(app: &TestApp) {
        let text = PlainKey::from_presented("sk_0123456789abcdef");
        assert_eq!(ask(&app.engine, &text).await, "INVALID_API_KEY malformed");
        app.engine.db().close().await;
        assert_eq!(ask(&app.engine, &text).await, "INVALID_API_KEY malformed");
    }
}

async fn under(app: &TestApp, convention: &str) -> Arc<Engine> {
    app.another_engine(|settings| settings.convention = Convention::built_in(convention).unwrap())
        .await
}

/// A key of the org whose text is replaced by this one.
async fn imported(app: &TestApp, org: &TestOrg, text: &str) -> PlainKey {
    let plain = PlainKey::from_presented(text);
    let digest = Peppers::new(Pepper::new(1, &[7; 32]).unwrap(), vec![]).digest(&plain);
    let hex: String = digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let bytes = match app.database {
        crate::test_app::Database::Sqlite { .. } => format!("X'{hex}'"),
        crate::test_app::Database::Postgres { .. } => format!("'\\x{hex}'"),
    };
    let id = org.key("Imported").await.id;
    let sql = format!("UPDATE key_secrets SET digest = {bytes} WHERE key_id = '{id}'");
    assert_eq!(app.database.execute(&sql).await, 1);
    plain
}

async fn ask(engine: &Engine, key: &PlainKey) -> String {
    let request = Request {
        key: Some(key),
        ..Request::default()
    };
    match verify(engine, &request).await {
        Ok(answer) => said(&answer),
        Err(_) => "no answer".to_owned(),
    }
}
