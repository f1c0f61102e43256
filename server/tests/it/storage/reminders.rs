//! Reminders about keys: when they are due, to whom they are mailed, and that none is repeated.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::Membership,
    alerts::{
        ReminderAbout, notice, post_digests, post_reminders,
        settings::{self, AlertSettings, RemindersTo},
    },
    caller::{Person, Visit},
    key::{RevokeReason, settings::SettingsChange},
    keys::{
        change_state,
        rotate::{Rotation, rotate},
    },
    mail::Content,
    orgs::policies,
    outcome::Outcome,
    policy::KeyPolicy,
    reviews::{self, Comment, Created, NewReview, Verdict},
    revision::Known,
    role::Role,
    time::{DAY, HOUR, Timestamp},
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    authenticator::turn_on,
    org::{secret_key, with},
    usage::past,
};

/// An engine that sends mail.
async fn mailing(app: &TestApp) -> Arc<Engine> {
    app.another_engine(|settings| settings.sends_mail = true)
        .await
}

/// Looks for reminders, and returns the letters: to whom, and what each says.
async fn looked(engine: &Arc<Engine>) -> Vec<String> {
    post_reminders(engine).await.unwrap();
    letters(engine)
}

fn letters(engine: &Arc<Engine>) -> Vec<String> {
    let next = || Some(engine.outbox().next_now()?.letter.clone());
    let said = |letter: latchkey::mail::Letter| {
        let Content::Digest {
            alerts,
            reminders,
            more_reminders,
            ..
        } = letter.content
        else {
            panic!("{:?}", letter.content);
        };
        let mut parts: Vec<String> = reminders
            .iter()
            .map(|reminder| {
                let about = match reminder.about {
                    ReminderAbout::Expiry(_) => "expires",
                    ReminderAbout::CreatorLeft => "creator left",
                    ReminderAbout::Rotation(_) => "rotation",
                    ReminderAbout::Asked(_, what) => {
                        return format!("{} asked to {what}", reminder.key_name);
                    }
                    ReminderAbout::Promise(..) => "promise",
                };
                format!("{} {about}", reminder.key_name)
            })
            .collect();
        if more_reminders > 0 {
            parts.push(format!("{more_reminders} more"));
        }
        if !alerts.is_empty() {
            parts.push(format!("{} alerts", alerts.len()));
        }
        let name = letter.to.to_string();
        let name = name.split('@').next().unwrap();
        format!("{name}: {}", parts.join(", "))
    };
    let mut letters: Vec<String> = std::iter::from_fn(next).map(said).collect();
    letters.sort();
    letters
}

async fn expiring(org: &TestOrg, name: &str, at: Timestamp) -> latchkey::id::KeyId {
    let new = with(secret_key(name), |settings| settings.expires_at = Some(at));
    org.create_key(new).await.unwrap().id
}

on_both! {
    async fn an_expiry_has_three_reminders_and_each_is_mailed_once(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("ari", Role::Admin).await;
        let engine = mailing(app).await;
        let expiry = NOON.plus(60 * DAY);
        let shop = expiring(&org, "Shop", expiry).await;
        let disabled = expiring(&org, "Disabled", expiry).await;
        change_state::disable(&app.engine, &org.permit(), disabled).await.unwrap();
        let revoked = expiring(&org, "Revoked", expiry).await;
        change_state::revoke(&app.engine, &org.permit(), revoked, RevokeReason::Unused).await.unwrap();
        let until = |before: i64| app.clock.advance(expiry.plus(-before).since(app.clock.now()));
        let none: [&str; 0] = [];
        for days in [14, 3, 1] {
            // A reminder is an hour early, since the letter can be an hour late.
            until(days * DAY + HOUR + 1);
            assert_eq!(looked(&engine).await, none, "{days} days before");
            until(days * DAY + HOUR);
            assert_eq!(looked(&engine).await, ["dana: Shop expires"], "{days} days before");
            app.clock.advance(HOUR);
            assert_eq!(looked(&engine).await, none, "not again");
        }
        // A key that is extended begins again.
        let expires_at = Some(Some(expiry.plus(60 * DAY)));
        org.edit(shop, SettingsChange { expires_at, ..SettingsChange::default() }).await.unwrap();
        app.clock.advance(2 * DAY);
        assert_eq!(looked(&engine).await, none);
        app.clock.advance(45 * DAY);
        assert_eq!(looked(&engine).await, ["dana: Shop expires, Shop rotation"]);
    }

    async fn who_creates_a_key_for_days_is_not_reminded_of_it_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let engine = mailing(app).await;
        expiring(&org, "Week", NOON.plus(7 * DAY)).await;
        expiring(&org, "Day", NOON.plus(DAY)).await;
        let none: [&str; 0] = [];
        assert_eq!(looked(&engine).await, none);
        app.clock.advance(4 * DAY);
        assert_eq!(looked(&engine).await, ["dana: Week expires"]);
    }

    async fn a_rotation_is_due_by_policy_and_again_every_thirty_days(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let engine = mailing(app).await;
        let key = org.key("Shop").await;
        let none: [&str; 0] = [];
        app.clock.advance(90 * DAY - 1);
        assert_eq!(looked(&engine).await, none);
        app.clock.advance(1);
        assert_eq!(looked(&engine).await, ["dana: Shop rotation"]);
        app.clock.advance(30 * DAY - 1);
        assert_eq!(looked(&engine).await, none);
        app.clock.advance(1);
        assert_eq!(looked(&engine).await, ["dana: Shop rotation"]);
        rotate(&app.engine, &org.permit(), key.id, Rotation { overlap: 0, token: None }).await.unwrap();
        app.clock.advance(89 * DAY);
        assert_eq!(looked(&engine).await, none);
        let off = KeyPolicy { rotation_days: None, ..KeyPolicy::default() };
        policies::change(&app.engine, &org.permit(), off, &Known::Nothing).await.unwrap();
        app.clock.advance(DAY);
        assert_eq!(looked(&engine).await, none);
        let sooner = KeyPolicy { rotation_days: Some(30), ..off };
        policies::change(&app.engine, &org.permit(), sooner, &Known::Nothing).await.unwrap();
        assert_eq!(looked(&engine).await, ["dana: Shop rotation"]);
    }

    async fn a_creator_who_leaves_is_mailed_once(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Owner).await;
        let engine = mailing(app).await;
        let key = org.key("Shop").await;
        app.database.execute(&format!("UPDATE keys SET created_by = '{kim}' WHERE id = '{}'", key.id)).await;
        let none: [&str; 0] = [];
        assert_eq!(looked(&engine).await, none);
        let join = format!("INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{kim}', 'owner', 0)", org.org.id);
        let leave = format!("DELETE FROM memberships WHERE user_id = '{kim}'");
        app.database.execute(&leave).await;
        assert_eq!(looked(&engine).await, ["dana: Shop creator left"]);
        app.clock.advance(40 * DAY);
        assert_eq!(looked(&engine).await, none);
        // After kim was back at the time of another letter, the key can be mailed again.
        app.database.execute(&join).await;
        let other = expiring(&org, "Other", app.clock.now().plus(20 * DAY)).await;
        app.clock.advance(7 * DAY);
        assert_eq!(looked(&engine).await, ["dana: Other expires", "kim: Other expires"]);
        change_state::revoke(&app.engine, &org.permit(), other, RevokeReason::Unused).await.unwrap();
        app.database.execute(&leave).await;
        app.clock.advance(DAY);
        assert_eq!(looked(&engine).await, ["dana: Shop creator left"]);
        assert_eq!(app.database.texts("SELECT reason FROM key_reminders").await, ["creator"], "nothing about revoked keys");
    }

    async fn a_promise_has_a_reminder_after_seven_days_and_then_every_thirty(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = org.person("dana", Role::Owner).await;
        let engine = mailing(app).await;
        let key = org.key("Shop").await.id;
        let person = Person { user_id: owner, visit: Visit::default() };
        let membership = Membership::find(&app.engine, person, &org.org.slug).await.unwrap();
        let ask = async || {
            let new = NewReview { verdict: Verdict::Revoke, aspect: None, comment: Comment::default(), until: None, seen: None, seen_requests: None, creation_token: None };
            let permit = membership.permit().unwrap();
            let created = reviews::create(&app.engine, &permit, &org.permit(), &org.permit(), key, new).await.unwrap();
            let (Created::Now(id) | Created::Before(id)) = created;
            id
        };
        let promise = async |id| reviews::promise(&app.engine, &membership.permit().unwrap(), id, Comment::default()).await.unwrap();
        let none: [&str; 0] = [];
        let off = KeyPolicy { rotation_days: None, ..KeyPolicy::default() };
        policies::change(&app.engine, &org.permit(), off, &Known::Nothing).await.unwrap();
        let first = ask().await;
        promise(first).await;
        app.clock.advance(7 * DAY - 1);
        assert_eq!(looked(&engine).await, none, "before seven days");
        app.clock.advance(1);
        assert_eq!(looked(&engine).await, ["dana: Shop promise"]);
        // Another promise of the same starts nothing anew.
        promise(first).await;
        app.clock.advance(30 * DAY - 1);
        assert_eq!(looked(&engine).await, none, "before thirty more");
        app.clock.advance(1);
        assert_eq!(looked(&engine).await, ["dana: Shop promise"]);
        // What is asked again is promised again.
        let second = ask().await;
        app.clock.advance(40 * DAY);
        assert_eq!(looked(&engine).await, ["dana: Shop asked to revoke"], "the first is superseded");
        promise(second).await;
        app.clock.advance(7 * DAY);
        assert_eq!(looked(&engine).await, ["dana: Shop promise"]);
        reviews::answer(&app.engine, &membership.permit().unwrap(), second, "It is another key".parse().unwrap()).await.unwrap();
        app.clock.advance(40 * DAY);
        assert_eq!(looked(&engine).await, none, "answered");
        let third = ask().await;
        promise(third).await;
        change_state::revoke(&app.engine, &org.permit(), key, RevokeReason::Unused).await.unwrap();
        app.clock.advance(8 * DAY);
        assert_eq!(looked(&engine).await, none, "done");
    }

    async fn a_request_is_in_the_next_letter_and_again_after_seven_days_and_then_every_thirty(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = org.person("dana", Role::Owner).await;
        let engine = mailing(app).await;
        let key = org.key("Shop").await.id;
        let off = KeyPolicy { rotation_days: None, ..KeyPolicy::default() };
        policies::change(&app.engine, &org.permit(), off, &Known::Nothing).await.unwrap();
        let person = Person { user_id: owner, visit: Visit::default() };
        let membership = Membership::find(&app.engine, person, &org.org.slug).await.unwrap();
        let ask = async |verdict, comment: &str| {
            let new = NewReview { verdict, aspect: None, comment: comment.parse().unwrap(), until: None, seen: None, seen_requests: None, creation_token: None };
            let permit = membership.permit().unwrap();
            let created = reviews::create(&app.engine, &permit, &org.permit(), &org.permit(), key, new).await.unwrap();
            let (Created::Now(id) | Created::Before(id)) = created;
            id
        };
        let none: [&str; 0] = [];
        let first = ask(Verdict::Rotate, "").await;
        assert_eq!(looked(&engine).await, ["dana: Shop asked to rotate"]);
        app.clock.advance(7 * DAY - 1);
        assert_eq!(looked(&engine).await, none, "before seven days");
        app.clock.advance(1);
        assert_eq!(looked(&engine).await, ["dana: Shop asked to rotate"]);
        app.clock.advance(30 * DAY - 1);
        assert_eq!(looked(&engine).await, none, "before thirty more");
        app.clock.advance(1);
        assert_eq!(looked(&engine).await, ["dana: Shop asked to rotate"]);
        // Each request about a key has reminders of its own.
        ask(Verdict::Narrow, "").await;
        app.clock.advance(DAY);
        assert_eq!(looked(&engine).await, ["dana: Shop asked to restrict the key"]);
        reviews::answer(&app.engine, &membership.permit().unwrap(), first, "It is another key".parse().unwrap()).await.unwrap();
        app.clock.advance(6 * DAY);
        assert_eq!(looked(&engine).await, ["dana: Shop asked to restrict the key"]);
        ask(Verdict::Keep, "It is needed").await;
        app.clock.advance(40 * DAY);
        assert_eq!(looked(&engine).await, none, "the key is kept");
    }

    async fn one_letter_a_day_has_alerts_and_reminders_for_those_who_get_them(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        org.person("dana", Role::Owner).await;
        org.person("ari", Role::Admin).await;
        org.person("mo", Role::Member).await;
        let key = org.key("Shop").await;
        other.person("lou", Role::Owner).await;
        for number in 0..12 {
            expiring(&other, &format!("Key {number:02}"), NOON.plus(40 * DAY + number * HOUR)).await;
        }
        expiring(&org, "Server", NOON.plus(40 * DAY)).await;
        app.clock.advance(30 * DAY);
        let now = app.clock.now();
        let mut counts: Vec<_> = (2..30).map(|ago| past(org.org.id, key.id, now.plus(-ago * DAY), Outcome::Valid, 250)).collect();
        counts.push(past(org.org.id, key.id, now.plus(-HOUR), Outcome::Valid, 5_000));
        app.store_past(&counts).await;
        notice(&app.engine).await.unwrap();
        // Without mail, nothing is sent and nothing is forgotten.
        post_reminders(&app.engine).await.unwrap();
        let (first, second) = (mailing(app).await, mailing(app).await);
        let (one, two) = tokio::join!(post_digests(&first), post_digests(&second));
        one.and(two).unwrap();
        let sent = [letters(&first), letters(&second)].concat();
        assert_eq!(sent, ["ari: 1 alerts", "dana: Server expires, 1 alerts"], "from one instance");
        let (one, two) = tokio::join!(post_reminders(&first), post_reminders(&second));
        one.and(two).unwrap();
        let sent = [letters(&first), letters(&second)].concat();
        let names: Vec<String> = (0..10).map(|number| format!("Key {number:02} expires")).collect();
        assert_eq!(sent, [format!("lou: {}, 2 more", names.join(", "))]);
        // The next letter is a day later, whatever else is due.
        expiring(&org, "Late", now.plus(60 * DAY)).await;
        let expires_at = Some(Some(now.plus(5 * DAY)));
        org.edit(key.id, SettingsChange { expires_at, ..SettingsChange::default() }).await.unwrap();
        app.clock.advance(DAY - 1);
        let none: [&str; 0] = [];
        assert_eq!(looked(&first).await, none);
        app.clock.advance(1);
        assert_eq!(looked(&first).await, ["dana: Shop expires"]);
    }

    async fn who_lacks_the_required_second_factor_gets_no_letter(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        turn_on(app, org.person("eve", Role::Owner).await).await;
        let engine = mailing(app).await;
        expiring(&org, "Shop", app.clock.now().plus(40 * DAY)).await;
        app.database.execute("UPDATE orgs SET second_factor_required = TRUE").await;
        app.clock.advance(30 * DAY);
        assert_eq!(looked(&engine).await, ["eve: Shop expires"]);
    }

    async fn owners_choose_who_is_reminded(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        org.person("ari", Role::Admin).await;
        let engine = mailing(app).await;
        let default = AlertSettings::default();
        let set = async |from: RemindersTo, to: RemindersTo| {
            let of = |reminders| AlertSettings { reminders, ..default };
            settings::change(&app.engine, &org.permit(), of(from), of(to)).await.unwrap();
        };
        expiring(&org, "Shop", NOON.plus(40 * DAY)).await;
        set(RemindersTo::Owners, RemindersTo::Nobody).await;
        app.clock.advance(30 * DAY);
        let none: [&str; 0] = [];
        assert_eq!(looked(&engine).await, none);
        set(RemindersTo::Nobody, RemindersTo::Admins).await;
        assert_eq!(looked(&engine).await, ["ari: Shop expires", "dana: Shop expires"]);
        let logged = app.database.texts("SELECT changes FROM audit_log WHERE event = 'org.updated' ORDER BY position").await;
        assert_eq!(logged[1], r#"{"reminders_to":{"from":"nobody","to":"admins"}}"#);
        // Nobody gets one while no address is confirmed, and it is not lost.
        let other = app.org("contoso").await;
        let lou = other.person("lou", Role::Owner).await;
        app.database.execute(&format!("UPDATE users SET email_confirmed = FALSE WHERE id = '{lou}'")).await;
        expiring(&other, "Blog", app.clock.now().plus(20 * DAY)).await;
        app.clock.advance(8 * DAY);
        // Two days before its expiry, Shop has its second reminder.
        assert_eq!(looked(&engine).await, ["ari: Shop expires", "dana: Shop expires"]);
        app.database.execute(&format!("UPDATE users SET email_confirmed = TRUE WHERE id = '{lou}'")).await;
        assert_eq!(looked(&engine).await, ["lou: Blog expires"]);
    }
}
