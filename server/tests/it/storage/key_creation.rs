//! Creating keys.

use std::sync::Arc;

use latchkey::{
    key::{Environment, Kind},
    keys::{
        create::{self, CreateKeyError, NewKey},
        show,
    },
    time::{DAY, Timestamp},
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, widget_key, with},
};

on_both! {
    async fn a_key_is_stored_as_it_was_made(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = with(NewKey { environment: Environment::Test, ..widget_key("Shop <window> & \"more\"", &["shop.example", "*.shop.example:8443"]) }, |settings| { settings.scopes = vec!["bots:read".parse().unwrap(), "channels:write".parse().unwrap()]; settings.expires_at = Some(NOON.plus(90 * DAY)); settings.notes = "For the night job.\nAsk Dana.".to_owned(); });
        let made = org.create_key(new.clone()).await.unwrap();
        let key = show::details(&app.engine, &org.permit(), made.id).await.unwrap().unwrap();
        assert_eq!(key.summary.name, new.settings.name);
        assert_eq!((key.summary.kind, key.summary.environment), (Kind::Widget, Environment::Test));
        assert_eq!(key.summary.display, made.display);
        assert_eq!(key.summary.created_at, NOON);
        assert_eq!(key.summary.lifecycle.expires_at, new.settings.expires_at);
        assert_eq!((key.summary.last_used_at, key.summary.revoke_reason), (None, None));
        assert_eq!((key.settings.scopes, key.settings.domains, key.settings.notes), (new.settings.scopes, new.settings.domains, new.settings.notes));
        assert_eq!(key.project_name.as_str(), "Default");
        assert_eq!(key.created_by, None, "the operator has no account");
    }

    async fn the_plain_text_is_nowhere_in_the_database(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        assert!(app.database.holds("Production").await, "the search would find it");
        assert!(!app.database.holds(made.plain.expose()).await);
        // The random part without its prefix and checksum is not stored either, except for the four characters that are
        // shown.
        let text = made.plain.expose();
        assert!(!app.database.holds(&text["lk_sk_live_".len() + 4..text.len() - 4]).await);
    }

    async fn a_form_that_is_sent_twice_makes_one_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = NewKey { creation_token: Some("form 1".to_owned()), ..secret_key("Production") };
        let first = org.create_key(new.clone()).await.unwrap();
        let again = with(new.clone(), |settings| settings.name = "Other".parse().unwrap());
        assert!(matches!(org.create_key(again).await, Err(CreateKeyError::AlreadyCreated(id)) if id == first.id));
        assert_eq!(count(app).await, (1, 1));
        // The form of another org is independent, whatever token it uses.
        app.org("contoso").await.create_key(new).await.unwrap();
        assert_eq!(count(app).await, (2, 2));
    }

    async fn a_form_that_is_sent_many_times_at_once_makes_one_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let sent: Vec<_> = (0..12)
            .map(|_| {
                let (engine, permit) = (Arc::clone(&app.engine), org.permit());
                let new = NewKey { creation_token: Some("form 1".to_owned()), ..secret_key("Production") };
                tokio::spawn(async move { create::create(&engine, &permit, new).await })
            })
            .collect();
        let (mut made, mut already) = (vec![], vec![]);
        for answer in sent {
            match answer.await.unwrap() {
                Ok(key) => made.push(key.id),
                Err(CreateKeyError::AlreadyCreated(id)) => already.push(id),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((made.len(), already.len()), (1, 11));
        assert!(already.iter().all(|id| *id == made[0]));
        assert_eq!(count(app).await, (1, 1));
    }

    async fn what_is_refused_makes_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let refused = async |new| refusal(&org, new).await;
        let secret = || secret_key("Production");
        assert_eq!(refused(widget_key("Shop", &[])).await, "InvalidFields(InvalidKeyFields([DomainsNeeded]))");
        let domains = vec!["shop.example".parse().unwrap()];
        assert_eq!(refused(with(secret(), |settings| settings.domains = domains)).await, "InvalidFields(InvalidKeyFields([DomainsOnSecretKey]))");
        let scopes = vec!["bots:read".parse().unwrap(), "bots:eat".parse().unwrap()];
        assert!(refused(with(secret(), |settings| settings.scopes = scopes)).await.starts_with(r#"InvalidFields(InvalidKeyFields([UnknownScope { unknown: Scope("bots:eat"), offered: [Scope("bots:read"),"#));
        for expires_at in [NOON, NOON.plus(-1), Timestamp::from_millis(i64::MIN)] {
            assert_eq!(refused(with(secret(), |settings| settings.expires_at = Some(expires_at))).await, "InvalidFields(InvalidKeyFields([ExpiryInPast]))");
        }
        assert_eq!(refused(with(secret(), |settings| settings.notes = "é".repeat(2_001))).await, "InvalidFields(InvalidKeyFields([NotesTooLong]))");
        let several = with(widget_key("Shop", &[]), |settings| {
            settings.expires_at = Some(NOON);
            settings.notes = "é".repeat(2_001);
        });
        assert_eq!(refused(several).await, "InvalidFields(InvalidKeyFields([DomainsNeeded, ExpiryInPast, NotesTooLong]))");
        assert_eq!(count(app).await, (0, 0));
        org.create_key(with(secret(), |settings| settings.notes = "é".repeat(2_000))).await.unwrap();
    }

    async fn a_kind_that_the_convention_lacks_is_refused(app: &TestApp) {
        let engine = app.another_engine(|settings| {
            settings.convention = latchkey::convention::Convention::built_in("corthex").unwrap();
        }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        assert_eq!(refusal(&org, widget_key("Shop", &["shop.example"])).await, "NotOffered(Widget, Live)");
    }

    async fn notes_that_postgres_cannot_hold_are_kept_without_what_it_cannot(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(with(secret_key("Production"), |settings| settings.notes = "one\0two".to_owned())).await.unwrap();
        let key = show::details(&app.engine, &org.permit(), made.id).await.unwrap().unwrap();
        assert_eq!(key.settings.notes, "onetwo");
    }
}

/// The number of keys and of secrets.
async fn count(app: &TestApp) -> (i64, i64) {
    let rows = async |table| {
        app.database
            .number(&format!("SELECT COUNT(*) FROM {table}"))
            .await
    };
    (rows("keys").await, rows("key_secrets").await)
}

async fn refusal(org: &TestOrg, new: NewKey) -> String {
    format!("{:?}", org.create_key(new).await.unwrap_err())
}
