//! Keys whose requests are far above their own past.

use std::sync::Arc;

use latchkey::{
    Engine,
    alerts::{
        Alert, notice, post_digests, post_reminders, recent,
        rule::Thresholds,
        settings::{self, AlertSettings},
    },
    invitations::{self, NewInvitation},
    mail::{Content, Letter},
    outcome::Outcome,
    role::Role,
    time::{DAY, HOUR},
};

use crate::test_app::{Database, TestApp, TestOrg, usage::past};

on_both! {
    async fn a_key_far_above_its_past_is_noticed_and_mailed_once_a_day(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        for (name, role) in [("dana", Role::Owner), ("ari", Role::Admin), ("mo", Role::Member)] {
            org.person(name, role).await;
        }
        let (shop, steady, young) = (org.key("Shop").await, org.key("Steady").await, org.key("Young").await);
        app.clock.advance(30 * DAY);
        app.database.execute(&format!("UPDATE keys SET created_at = {} WHERE id = '{}'", app.clock.now().plus(-6 * DAY).as_millis(), young.id)).await;
        let now = app.clock.now();
        let mut counts = Vec::new();
        for ago in 2..30 {
            for (key, requests) in [(&shop, 250), (&steady, 250), (&young, 1)] {
                counts.push(past(org.org.id, key.id, now.plus(-ago * DAY), Outcome::Valid, requests));
            }
        }
        // Twice the usual for most of a day, then far more rejected requests in the last hours.
        counts.push(past(org.org.id, shop.id, now.plus(-20 * HOUR), Outcome::Valid, 1_152));
        counts.push(past(org.org.id, shop.id, now.plus(-HOUR), Outcome::OriginNotAllowed, 99));
        counts.push(past(org.org.id, steady.id, now.plus(-HOUR), Outcome::Valid, 1_250));
        counts.push(past(org.org.id, young.id, now.plus(-HOUR), Outcome::Valid, 90_000));
        app.store_past(&counts).await;
        let mailing = app.another_engine(|settings| settings.sends_mail = true).await;
        let second = app.another_engine(|settings| settings.sends_mail = true).await;
        for engine in [&mailing, &second] {
            notice(engine).await.unwrap();
        }
        assert_eq!(found(app, &org).await, ["Shop requests 1251 250"]);
        app.store_past(&[past(org.org.id, shop.id, now, Outcome::OriginNotAllowed, 1)]).await;
        notice(&mailing).await.unwrap();
        assert_eq!(found(app, &org).await, ["Shop rejected 100 0", "Shop requests 1252 250"]);
        assert_eq!(found(app, &other).await, [""; 0]);
        post_digests(&app.engine).await.unwrap();
        let (first, later) = tokio::join!(post_digests(&mailing), post_digests(&second));
        first.and(later).unwrap();
        let letters = [letters(&mailing), letters(&second)].concat();
        assert_eq!(letters, ["ari@northwind.example", "dana@northwind.example"].map(|to| (to.to_owned(), 2)));
        // A restart sends nothing again, and neither does another alert on the same day.
        let restarted = app.another_engine(|settings| settings.sends_mail = true).await;
        app.clock.advance(20 * HOUR);
        app.store_past(&[past(org.org.id, steady.id, app.clock.now(), Outcome::IpNotAllowed, 500)]).await;
        notice(&restarted).await.unwrap();
        post_digests(&restarted).await.unwrap();
        assert_eq!(self::letters(&restarted), []);
        app.clock.advance(4 * HOUR);
        post_digests(&restarted).await.unwrap();
        let sent = self::letters(&restarted);
        assert!(sent.len() == 2 && sent[0].1 >= 1, "{sent:?}");
        post_digests(&restarted).await.unwrap();
        assert_eq!(self::letters(&restarted), []);
    }

    async fn an_organization_whose_letter_fails_keeps_no_other_from_its_own_and_is_tried_again(app: &TestApp) {
        let mut orgs = Vec::new();
        for slug in ["northwind", "contoso", "fabrikam"] {
            let org = app.org(slug).await;
            org.person("dana", Role::Owner).await;
            orgs.push((org.key("Shop").await.id, org));
        }
        app.clock.advance(30 * DAY);
        let now = app.clock.now();
        let mut counts = Vec::new();
        for (key, org) in &orgs {
            counts.extend((2..30).map(|ago| past(org.org.id, *key, now.plus(-ago * DAY), Outcome::Valid, 250)));
            counts.push(past(org.org.id, *key, now.plus(-HOUR), Outcome::Valid, 90_000));
        }
        app.store_past(&counts).await;
        let mailing = app.another_engine(|settings| settings.sends_mail = true).await;
        notice(&mailing).await.unwrap();
        // The second one's letter cannot be stored.
        let id = orgs[1].1.org.id;
        let (broken, whole) = match app.database {
            Database::Sqlite { .. } => (
                format!("CREATE TRIGGER broken BEFORE INSERT ON alert_digests WHEN NEW.org_id = '{id}' BEGIN SELECT RAISE(ABORT, 'broken'); END"),
                "DROP TRIGGER broken",
            ),
            Database::Postgres { .. } => (
                format!("ALTER TABLE alert_digests ADD CONSTRAINT broken CHECK (org_id <> '{id}') NOT VALID"),
                "ALTER TABLE alert_digests DROP CONSTRAINT broken",
            ),
        };
        app.database.execute(&broken).await;
        post_digests(&mailing).await.unwrap_err();
        assert_eq!(letters(&mailing), ["dana@fabrikam.example", "dana@northwind.example"].map(|to| (to.to_owned(), 1)));
        app.database.execute(whole).await;
        post_digests(&mailing).await.unwrap();
        assert_eq!(letters(&mailing), [("dana@contoso.example".to_owned(), 1)]);
        // The same for reminders.
        app.clock.advance(DAY);
        app.database.execute(&format!("UPDATE keys SET expires_at = {}", app.clock.now().plus(DAY / 2).as_millis())).await;
        app.database.execute(&broken).await;
        post_reminders(&mailing).await.unwrap_err();
        assert_eq!(letters(&mailing).len(), 2);
        app.database.execute(whole).await;
        post_reminders(&mailing).await.unwrap();
        assert_eq!(letters(&mailing).len(), 1);
    }

    async fn an_organization_without_a_place_in_the_outbox_is_tried_again(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let key = org.key("Shop").await;
        app.clock.advance(30 * DAY);
        let now = app.clock.now();
        let mut counts: Vec<_> = (2..30).map(|ago| past(org.org.id, key.id, now.plus(-ago * DAY), Outcome::Valid, 250)).collect();
        counts.push(past(org.org.id, key.id, now.plus(-HOUR), Outcome::Valid, 90_000));
        app.store_past(&counts).await;
        let mailing = app.another_engine(|settings| settings.sends_mail = true).await;
        notice(&mailing).await.unwrap();
        for number in 0..100 {
            let new = NewInvitation { email: format!("guest{number}@example.com").parse().unwrap(), role: Role::Member, shows_link: false, creation_token: None };
            invitations::create(&mailing, &org.permit(), new).await.unwrap();
        }
        post_digests(&mailing).await.unwrap();
        let waiting = std::iter::from_fn(|| mailing.outbox().next_now()).count();
        assert_eq!(waiting, 100, "no letter but the invitations");
        post_digests(&mailing).await.unwrap();
        assert_eq!(letters(&mailing), [("dana@northwind.example".to_owned(), 1)]);
    }

    async fn thresholds_and_mail_are_settings_of_an_organization(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let key = org.key("Shop").await;
        app.clock.advance(30 * DAY);
        let now = app.clock.now();
        let mut counts: Vec<_> = (2..30).map(|ago| past(org.org.id, key.id, now.plus(-ago * DAY), Outcome::Valid, 10)).collect();
        counts.push(past(org.org.id, key.id, now.plus(-HOUR), Outcome::Valid, 21));
        app.store_past(&counts).await;
        notice(&app.engine).await.unwrap();
        assert_eq!(found(app, &org).await, [""; 0]);
        let (base, thresholds) = (AlertSettings::default(), Thresholds::default());
        let lower = AlertSettings { thresholds: Thresholds { factor: 2, min_requests: 21, ..thresholds }, ..base };
        settings::change(&app.engine, &org.permit(), base, lower).await.unwrap();
        // Someone else changes another setting of the same form.
        let by_page = AlertSettings { by_mail: false, ..base };
        settings::change(&app.engine, &org.permit(), base, by_page).await.unwrap();
        let stored = settings::read(&app.engine, &org.permit()).await.unwrap();
        assert_eq!(stored, AlertSettings { by_mail: false, ..lower });
        settings::change(&app.engine, &org.permit(), stored, stored).await.unwrap();
        let logged = "SELECT changes FROM audit_log WHERE event = 'org.updated' ORDER BY position";
        let logged = app.database.texts(logged).await;
        assert!(logged.len() == 2 && logged[0].contains(r#""alert_factor":{"from":5,"to":2}"#), "{logged:?}");
        let mailing = app.another_engine(|settings| settings.sends_mail = true).await;
        notice(&mailing).await.unwrap();
        assert_eq!(found(app, &org).await, ["Shop requests 21 10"]);
        post_digests(&mailing).await.unwrap();
        assert_eq!(letters(&mailing), []);
        app.clock.advance(8 * DAY);
        assert_eq!(found(app, &org).await, [""; 0]);
        app.clock.advance(30 * DAY);
        latchkey::alerts::delete_old(&app.engine).await.unwrap();
        assert_eq!(app.database.number("SELECT COUNT(*) FROM alerts").await, 0);
    }
}

async fn found(app: &TestApp, org: &TestOrg) -> Vec<String> {
    let alerts = recent(&app.engine, &org.permit()).await.unwrap();
    let said = |alert: Alert| {
        let Alert {
            key_name,
            measure,
            count,
            usual,
            ..
        } = alert;
        format!("{key_name} {measure} {count} {usual}")
    };
    let mut found: Vec<String> = alerts.into_iter().map(said).collect();
    found.sort();
    found
}

/// The letters in the outbox: to whom, and how many alerts they name.
fn letters(engine: &Arc<Engine>) -> Vec<(String, usize)> {
    let next = || Some(engine.outbox().next_now()?.letter.clone());
    let said = |letter: Letter| match letter.content {
        Content::Digest {
            alerts,
            more_alerts,
            ..
        } => (letter.to.to_string(), alerts.len() + more_alerts),
        other => panic!("{other:?}"),
    };
    let mut letters: Vec<_> = std::iter::from_fn(next).map(said).collect();
    letters.sort();
    letters
}
