//! What is asked about one key side by side, and which later review ends it.

use latchkey::{
    findings::Code,
    key::{RevokeReason, settings::SettingsChange},
    keys::change_state::{disable, enable, revoke},
    reviews::{self, AskState, Aspect, NewReview, ReviewError, Verdict},
    role::Role,
    time::DAY,
};

use super::{asked, create, find, new, permit, states};
use crate::test_app::{NOON, TestApp};

on_both! {
    async fn different_requests_are_open_together_and_end_on_their_own(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (org.person("ada", Role::Admin).await, org.person("olga", Role::Owner).await);
        let key = org.key("Production").await.id;
        let scopes = NewReview { aspect: Some(Aspect::Scopes), ..new(Verdict::Narrow) };
        let expiry = NewReview { aspect: Some(Aspect::Expiry), ..new(Verdict::Narrow) };
        let mut ids = Vec::new();
        for new in [new(Verdict::Keep), new(Verdict::Rotate), scopes.clone(), expiry.clone()] {
            ids.push(create(app, &org, admin, key, new).await.unwrap());
            app.clock.advance(2_000);
        }
        let open = async || {
            let current = reviews::current(&app.engine, &org.permit(), &[key]).await.unwrap();
            let mut open = current.get(&key).cloned().unwrap_or_default();
            open.retain(|review| review.ask(app.clock.now()) == Some(AskState::Open));
            open.into_iter().map(|review| review.id).collect::<Vec<_>>()
        };
        assert_eq!((open().await, asked(app, &org).await, states(&org).await), (vec![ids[3], ids[2], ids[1]], 3, [0, 1, 0]));
        assert_eq!(find(app, &org, ids[0]).await.superseded_by.unwrap().id, ids[1], "a request ends what kept the key");
        // The same again replaces its predecessor, and no other.
        let again = create(app, &org, admin, key, scopes).await.unwrap();
        let replaced = find(app, &org, ids[2]).await;
        assert_eq!((replaced.ask(app.clock.now()), replaced.superseded_by.map(|later| later.id)), (Some(AskState::Superseded), Some(again)));
        assert_eq!(open().await, [again, ids[3], ids[1]]);
        let change = SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap()]), ..SettingsChange::default() };
        org.edit(key, change).await.unwrap();
        assert_eq!(find(app, &org, again).await.ask(app.clock.now()), Some(AskState::Done));
        reviews::answer(&app.engine, &permit(app, &org, owner).await, ids[3], "It is replaced in May".parse().unwrap()).await.unwrap();
        assert_eq!((open().await, states(&org).await), (vec![ids[1]], [0, 1, 0]));
        disable(&app.engine, &permit(app, &org, owner).await, key).await.unwrap();
        assert_eq!(open().await, []);
        enable(&app.engine, &permit(app, &org, owner).await, key).await.unwrap();
        assert_eq!(open().await, [ids[1]], "what was done before remains done");
        let narrowed = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key.updated'").await.join("");
        assert!(narrowed.contains("narrow.scopes") && !narrowed.contains("narrow.expiry"), "{narrowed}");
    }

    async fn a_later_review_supersedes_what_was_asked(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        let first = create(app, &org, admin, key, new(Verdict::Revoke)).await.unwrap();
        app.clock.advance(1_000);
        let second = create(app, &org, admin, key, new(Verdict::Revoke)).await.unwrap();
        assert_eq!(find(app, &org, first).await.ask(app.clock.now()), Some(AskState::Superseded));
        assert_eq!(asked(app, &org).await, 1);
        let current = reviews::current(&app.engine, &org.permit(), &[key]).await.unwrap();
        assert_eq!(current[&key][0].id, second);
        revoke(&app.engine, &org.permit(), key, RevokeReason::Unused).await.unwrap();
        assert_eq!(find(app, &org, first).await.done, None);
        assert!(find(app, &org, second).await.done.is_some());
    }

    async fn an_urgent_finding_or_a_request_is_not_ended_without_a_word(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let (leaked, other) = (org.key("Leaked").await.id, org.key("Other").await.id);
        app.database.execute(&format!(
            "INSERT INTO key_findings (org_id, key_id, secret_id, finding, first_at, last_at, count, origin) \
             SELECT '{}', key_id, id, 'secret_key_in_browser', {1}, {1}, 3, 'https://shop.example' FROM key_secrets WHERE key_id = '{leaked}'",
            org.org.id, NOON.as_millis(),
        )).await;
        let silent = |verdict| NewReview { comment: Default::default(), ..new(verdict) };
        let refused = create(app, &org, admin, leaked, silent(Verdict::Keep)).await;
        assert!(matches!(refused, Err(ReviewError::CommentRequired { urgent, asked }) if urgent == [Code::SeenInBrowser] && asked.is_empty()));
        create(app, &org, admin, other, silent(Verdict::Keep)).await.unwrap();
        let ask = create(app, &org, admin, leaked, silent(Verdict::Rotate)).await.unwrap();
        let of_other = create(app, &org, admin, other, silent(Verdict::Revoke)).await.unwrap();
        let refused = create(app, &org, admin, other, silent(Verdict::Keep)).await.unwrap_err();
        assert_eq!(refused.to_string(), "Enter a comment that says why this key can be kept. Keeping it ends what is asked of the owners: revoke.");
        assert_eq!((asked(app, &org).await, find(app, &org, of_other).await.superseded_at), (2, None), "nothing was changed");
        let unseen = NewReview { seen_requests: Some(Vec::new()), ..new(Verdict::Keep) };
        let refused = create(app, &org, admin, leaked, unseen).await.unwrap_err();
        assert_eq!(refused.to_string(), "Asked of the owners since you opened the page: rotate. Look at it, then decide.");
        let seen = NewReview { seen_requests: Some(vec![ask]), ..new(Verdict::Keep) };
        create(app, &org, admin, leaked, seen).await.unwrap();
        assert_eq!((asked(app, &org).await, find(app, &org, ask).await.ask(app.clock.now())), (1, Some(AskState::Superseded)));
        // The owners see for a time what ended, and why.
        let ended = async || reviews::ended(&app.engine, &org.permit(), app.clock.now().plus(-30 * DAY), 10).await.unwrap();
        let seen = ended().await;
        let later = seen[0].superseded_by.as_ref().unwrap();
        assert_eq!((seen.len(), seen[0].id, later.verdict, later.comment.as_str(), later.reviewer.name.as_deref()), (1, ask, Verdict::Keep, "Nobody knows it", Some("ada")));
        app.clock.advance(30 * DAY);
        assert_eq!(ended().await.len(), 1);
        app.clock.advance(1);
        assert_eq!(ended().await.len(), 0);
    }
}
