//! Creating a review: what it keeps, and what is refused.

use latchkey::{
    findings::{
        Code,
        list::{Which, count_attention},
        of_keys,
    },
    key::settings::SettingsChange,
    keys::{
        change_state::{disable, enable},
        list::KeyQuery,
    },
    reviews::{
        self, AnswerError, Aspect, MAX_KEPT_FOR, MAX_PER_KEY, NewReview, ReviewError, Verdict,
    },
    role::Role,
    time::DAY,
};

use super::{create, find, new, permit, states};
use crate::test_app::{NOON, TestApp, org::widget_key};

on_both! {
    async fn a_review_keeps_what_the_reviewer_saw_and_counts_until_its_date(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        app.clock.advance(30 * DAY);
        let attention = async || count_attention(&app.engine, &org.permit()).await.unwrap();
        assert_eq!((attention().await, states(&org).await), (1, [1, 0, 0]));
        let until = app.clock.now().plus(10 * DAY);
        let id = create(app, &org, admin, key, NewReview { until: Some(until), ..new(Verdict::Keep) }).await.unwrap();
        // The count is remembered, but not beyond a change on this instance.
        assert_eq!((attention().await, states(&org).await), (0, [0, 0, 1]));
        app.clock.advance(10 * DAY - 1);
        assert_eq!((attention().await, states(&org).await), (0, [0, 0, 1]));
        app.clock.advance(1);
        app.clock.advance(20_000);
        assert_eq!((attention().await, states(&org).await), (1, [1, 0, 0]), "its date has passed");
        let review = find(app, &org, id).await;
        let codes: Vec<Code> = review.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::NeverUsed, Code::FullAccess, Code::NoExpiry]);
        assert_eq!((review.findings[0].since, review.at, review.until), (Some(NOON), NOON.plus(30 * DAY), Some(until)));
        assert_eq!((review.reviewer.name.as_deref(), review.comment.as_str(), review.ask(app.clock.now())), (Some("ada"), "Nobody knows it", None));
        assert!(!review.is_by_token());
        let log = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key.reviewed'").await.join("");
        assert!(log.contains("\"keep\"") && !log.contains("Nobody"), "{log}");
    }

    async fn another_finding_needs_attention_although_the_key_is_reviewed(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, maker) = (org.person("ada", Role::Admin).await, org.person("kim", Role::Owner).await);
        let key = org.key("Production").await.id;
        app.database.execute(&format!("UPDATE keys SET created_by = '{maker}'")).await;
        app.clock.advance(30 * DAY);
        create(app, &org, admin, key, new(Verdict::Keep)).await.unwrap();
        assert_eq!(states(&org).await, [0, 0, 1]);
        app.database.execute(&format!("DELETE FROM memberships WHERE user_id = '{maker}'")).await;
        assert_eq!(states(&org).await, [1, 0, 0]);
        let found = of_keys(&app.engine, &org.permit(), &org.permit(), &[key]).await.unwrap();
        let open = found[0].findings.iter().filter(|finding| finding.reviewed_until.is_none());
        assert_eq!(open.map(|finding| finding.code).collect::<Vec<_>>(), [Code::MakerLeft]);
        assert_eq!(org.names(KeyQuery { finding: Some(Which::Attention), ..KeyQuery::default() }).await, ["Production"]);
        // What the reviewer has not seen is not reviewed.
        let unseen = NewReview { seen: Some(vec![Code::FullAccess, Code::NoExpiry, Code::NeverUsed]), ..new(Verdict::Keep) };
        let refused = create(app, &org, admin, key, unseen).await;
        assert!(matches!(refused, Err(ReviewError::NewFindings(codes)) if codes == [Code::MakerLeft]));
    }

    async fn a_review_names_the_key_as_it_was_called_then(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Before").await.id;
        let id = create(app, &org, admin, key, new(Verdict::Keep)).await.unwrap();
        org.edit(key, SettingsChange { name: Some("After".parse().unwrap()), ..SettingsChange::default() }).await.unwrap();
        let of = find(app, &org, id).await.key;
        assert_eq!((of.name.as_str(), of.current_name.as_str()), ("Before", "After"));
    }

    async fn what_cannot_be_reviewed_is_rejected_and_changes_nothing(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        let theirs = other.key("Theirs").await.id;
        let until = |millis: i64, verdict| NewReview { until: Some(NOON.plus(millis)), ..new(verdict) };
        assert!(matches!(create(app, &org, admin, theirs, new(Verdict::Keep)).await, Err(ReviewError::NotFound)));
        for millis in [0, MAX_KEPT_FOR + 1] {
            assert!(matches!(create(app, &org, admin, key, until(millis, Verdict::Keep)).await, Err(ReviewError::InvalidUntil)));
        }
        assert!(matches!(create(app, &org, admin, key, until(1, Verdict::Rotate)).await, Err(ReviewError::UntilWithAsk)));
        disable(&app.engine, &org.permit(), key).await.unwrap();
        assert!(matches!(create(app, &org, admin, key, new(Verdict::Revoke)).await, Err(ReviewError::WrongState(_))));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM reviews").await, 0);
        enable(&app.engine, &org.permit(), key).await.unwrap();
        for millis in [1, MAX_KEPT_FOR] {
            create(app, &org, admin, key, until(millis, Verdict::Keep)).await.unwrap();
        }
        let id = create(app, &other, other.person("eve", Role::Owner).await, theirs, new(Verdict::Rotate)).await.unwrap();
        assert!(matches!(reviews::answer(&app.engine, &org.permit(), id, "No".parse().unwrap()).await, Err(AnswerError::NotFound)));
        assert!(reviews::find(&app.engine, &org.permit(), id).await.unwrap().is_none());
        // The limit of a key.
        app.database.execute(&format!(
            "INSERT INTO reviews (id, org_id, key_id, verdict, comment, at, actor_kind, findings, codes, superseded_at) \
             WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {}) \
             SELECT 'rev_' || n, '{}', '{key}', 'keep', '', 1, 'user', '[]', '', 1 FROM many", MAX_PER_KEY - 2, org.org.id
        )).await;
        assert!(matches!(create(app, &org, admin, key, new(Verdict::Keep)).await, Err(ReviewError::TooMany)));
    }

    async fn owners_are_only_asked_to_restrict_what_the_key_has(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let secret = org.key("Server").await.id;
        let widget = org.create_key(widget_key("Widget", &["a.example"])).await.unwrap().id;
        let about = |aspect| NewReview { aspect: Some(aspect), ..new(Verdict::Narrow) };
        for aspect in [Aspect::Domains, Aspect::Localhost] {
            let refused = create(app, &org, admin, secret, about(aspect)).await;
            assert!(matches!(refused, Err(ReviewError::NothingToNarrow(of)) if of == aspect), "{refused:?}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM reviews").await, 0);
        for aspect in Aspect::ALL.into_iter().filter(|aspect| aspect.is_for(Verdict::Narrow)) {
            create(app, &org, admin, widget, about(aspect)).await.unwrap();
        }
    }

    async fn a_request_that_is_sent_twice_reviews_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        let once = || NewReview { creation_token: Some("token".to_owned()), ..new(Verdict::Rotate) };
        let first = create(app, &org, admin, key, once()).await.unwrap();
        assert_eq!(create(app, &org, admin, key, once()).await.unwrap(), first);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM reviews").await, 1);
    }

    async fn a_member_who_was_made_a_member_meanwhile_reviews_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        let held = permit(app, &org, admin).await;
        app.database.execute("UPDATE memberships SET role = 'member'").await;
        let refused = reviews::create(&app.engine, &held, &org.permit(), &org.permit(), key, new(Verdict::Keep)).await;
        assert!(matches!(refused, Err(ReviewError::Fault(_))));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM reviews").await, 0);
    }
}
