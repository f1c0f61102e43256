//! What those can do about a key who cannot change it: members about a key that they have created, and admins about every key.

use latchkey::{
    findings::Severity,
    id::KeyId,
    keys::rotate::{Rotation, rotate},
    reviews::{self, AskState, Aspect, MAX_REPORTS, Review, ReviewQuery, Verdict},
    role::Role,
    time::DAY,
};

use crate::test_app::{
    HttpAnswer, TestApp, TestOrg,
    org::{secret_key, with},
};

const KEYS: &str = "/orgs/northwind/keys";
const ASKED: &str = "/orgs/northwind/review/asked";

/// The words of a page, without its tags.
fn words(answer: &HttpAnswer) -> String {
    let text = answer.text();
    let parts = text.split('<').map(|part| match part.split_once('>') {
        Some((_, text)) => text,
        None => part,
    });
    parts.collect()
}

async fn all(org: &TestOrg) -> Vec<Review> {
    let query = ReviewQuery {
        limit: 100,
        ..ReviewQuery::default()
    };
    reviews::list(&org.engine, &org.permit(), &query)
        .await
        .unwrap()
        .reviews
}

/// Makes a user the creator of a key.
async fn give(app: &TestApp, key: KeyId, name: &str) {
    let sql = format!(
        "UPDATE keys SET created_by = (SELECT id FROM users WHERE name = '{name}') WHERE id = '{key}'"
    );
    assert_eq!(app.database.execute(&sql).await, 1);
}

on_both! {
    async fn an_admin_asks_the_owners_about_a_key_without_findings_that_leaked(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let scopes = vec!["bots:read".parse().unwrap()];
        let expires_at = Some(app.engine.clock().now().plus(200 * DAY));
        let made = org.create_key(with(secret_key("Orders"), |key| (key.scopes, key.expires_at) = (scopes, expires_at))).await.unwrap();
        let path = format!("{KEYS}/{}", made.id);
        let page = admin.get(&path).await;
        assert!(words(&page).contains("Ask the owners") && !page.body.contains("name=\"leaked\" value=\"yes\" checked"), "{}", words(&page));
        assert!(!owner.get(&path).await.body.contains("value=\"ask\""), "an owner can do it");
        let found = admin.submit(&format!("{KEYS}/find"), &[("secret", made.plain.expose())]).await;
        let found = admin.get(found.header("location")).await;
        assert!(found.body.contains("name=\"leaked\" value=\"yes\" checked") && words(&found).contains("Ask to rotate"), "{}", found.body);
        let token = found.hidden("token");
        let ask = [("change", "ask"), ("verdict", "rotate"), ("leaked", "yes"), ("comment", "In a public repository"), ("token", &token)];
        let asked = admin.submit(&path, &ask).await;
        assert_eq!((asked.status.as_u16(), asked.header("location")), (303, &*path));
        assert_eq!(admin.submit(&path, &ask).await.status, 303);
        let stored = all(&org).await;
        let [review] = stored.as_slice() else { panic!("submitted twice, it is asked once: {stored:?}") };
        assert_eq!((review.verdict, review.aspect, review.severity(), review.findings.len()), (Verdict::Rotate, Some(Aspect::Leaked), Some(Severity::High), 0));
        app.clock.advance(1);
        let revoke = [("change", "ask"), ("verdict", "revoke"), ("comment", "No longer used")];
        assert_eq!(admin.submit(&path, &revoke).await.status, 303);
        let to_owner = owner.get(ASKED).await;
        let text = words(&to_owner);
        for said in ["Orders", "Asked to rotate because it leaked", "In a public repository", "Rotate the key without an overlap", "High", "Asked to revoke", "No longer used"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(text.find("because it leaked") < text.find("No longer used"), "the leak is first: {text}");
        rotate(&app.engine, &org.permit(), made.id, Rotation { overlap: 0, token: None }).await.unwrap();
        let text = words(&owner.get(ASKED).await);
        assert!(!text.contains("because it leaked") && text.contains("No longer used"), "{text}");
        for (verdict, status) in [("keep", 400), ("narrow", 400), ("", 400)] {
            assert_eq!(admin.submit(&path, &[("change", "ask"), ("verdict", verdict)]).await.status, status, "{verdict}");
        }
        let long = "x".repeat(1_001);
        let refused = admin.submit(&path, &[("change", "ask"), ("verdict", "rotate"), ("comment", &long)]).await;
        assert!(refused.status == 422 && refused.text().contains("at most 1,000 characters") && refused.body.contains(&long), "{}", refused.status);
    }

    async fn each_button_of_a_page_asks_for_something_of_its_own(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let path = format!("{KEYS}/{}", org.key("Orders").await.id);
        let token = admin.get(&path).await.hidden("token");
        let rotate = [("change", "ask"), ("verdict", "rotate"), ("comment", "It is old"), ("token", &token)];
        let revoke = [("change", "ask"), ("verdict", "revoke"), ("leaked", "yes"), ("comment", "It is public"), ("token", &token)];
        for ask in [&rotate[..], &revoke[..], &rotate[..], &revoke[..]] {
            assert_eq!(admin.submit(&path, ask).await.status, 303);
        }
        let mut stored: Vec<_> = all(&org).await.into_iter().map(|review| (review.verdict, review.aspect)).collect();
        stored.sort_by_key(|(_, aspect)| aspect.is_some());
        assert_eq!(stored, [(Verdict::Rotate, None), (Verdict::Revoke, Some(Aspect::Leaked))]);
    }

    async fn a_member_sees_what_their_key_is_and_reports_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let other = app.signed_in(&org, "kim", Role::Member).await;
        let scopes = vec!["bots:read".parse().unwrap()];
        let made = org.create_key(with(secret_key("Orders"), |key| key.scopes = scopes)).await.unwrap();
        let theirs = org.key("Theirs").await;
        give(app, made.id, "ben").await;
        let (path, secret) = (format!("{KEYS}/{}", made.id), made.plain.expose());
        let display = org.summary(made.id).await.display;
        let list = member.get(KEYS).await;
        assert_eq!(list.body.matches(">Yours<").count(), 1, "{}", list.body);
        assert!(list.text().contains(&display) && !other.get(KEYS).await.text().contains(&display));
        let page = member.get(&path).await;
        let text = words(&page);
        for said in [&*display, "bots:read", "by you", "You created this key.", "Report as leaked"] {
            assert!(text.contains(said), "{said}: {text}");
        }
        for (browser, path) in [(&other, path.clone()), (&member, format!("{KEYS}/{}", theirs.id))] {
            let page = browser.get(&path).await;
            let text = words(&page);
            for said in [&*display, "bots:read", "by you", "Report as leaked"] {
                assert!(!text.contains(said), "{said}: {text}");
            }
            let refused = browser.submit(&path, &[("change", "ask"), ("verdict", "rotate"), ("leaked", "yes")]).await;
            assert!(refused.status == 422 && refused.text().contains("You can report only keys that you created."), "{}", refused.status);
        }
        assert_eq!(all(&org).await.len(), 0);
        // Whatever a member sends, they ask because the key leaked.
        let report = [("change", "ask"), ("verdict", "revoke"), ("comment", "Laptop stolen"), ("token", &page.hidden("token"))];
        assert_eq!(member.submit(&path, &report).await.status, 303);
        assert_eq!(member.submit(&path, &report).await.status, 303);
        let stored = all(&org).await;
        let [review] = stored.as_slice() else { panic!("submitted twice, it is reported once: {stored:?}") };
        assert_eq!((review.verdict, review.aspect, review.severity()), (Verdict::Revoke, Some(Aspect::Leaked), Some(Severity::High)));
        let list = owner.get(&format!("{KEYS}?status=attention")).await;
        assert!(list.body.contains(&made.id.to_string()) && words(&list).contains("Reported as leaked"), "{}", words(&list));
        let text = words(&owner.get(&path).await);
        assert!(text.contains("This key was reported as leaked on") && text.contains("Rotate…"), "{text}");
        assert!(owner.get(&format!("{path}?revoke=1")).await.body.contains("value=\"compromised\" selected"));
        let text = words(&owner.get(ASKED).await);
        assert!(text.contains("Asked to revoke because it leaked") && text.contains("Laptop stolen") && text.contains("ben"), "{text}");
        assert_eq!(member.get(ASKED).await.status, 403);
        let id = review.id.to_string();
        assert_eq!(owner.submit(ASKED, &[("review", &id), ("answer", "Gone by noon"), ("promise", "1")]).await.status, 303);
        let text = words(&member.get(&path).await);
        assert!(text.contains("What you reported") && text.contains("dana will do it") && text.contains("Gone by noon"), "{text}");
        assert!(!text.contains(secret));
    }

    async fn reports_of_a_member_end_nothing_that_others_asked_and_leave_the_reviews_to_reviewers(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, member) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "ben", Role::Member).await);
        let made = org.key("Orders").await;
        give(app, made.id, "ben").await;
        let path = format!("{KEYS}/{}", made.id);
        let revoke = [("change", "ask"), ("verdict", "revoke"), ("leaked", "yes"), ("comment", "It is public")];
        assert_eq!(admin.submit(&path, &revoke).await.status, 303);
        let report = async |verdict: &str, comment: &str| member.submit(&path, &[("change", "ask"), ("verdict", verdict), ("comment", comment)]).await;
        let same = report("revoke", "Laptop stolen").await;
        assert!(same.status == 422 && same.text().contains("The owners are already asked to do this because the key leaked."), "{}", same.status);
        for number in 0..MAX_REPORTS {
            assert_eq!(report("rotate", &format!("Laptop {number} stolen")).await.status, 303);
        }
        let open = |reviews: &[Review]| -> Vec<String> {
            let open = reviews.iter().filter(|review| review.ask(app.clock.now()) == Some(AskState::Open));
            let mut open: Vec<String> = open.map(|review| review.comment.to_string()).collect();
            open.sort();
            open
        };
        assert_eq!(open(&all(&org).await), ["It is public", "Laptop 9 stolen"]);
        let refused = report("rotate", "Once more").await;
        assert!(refused.status == 422 && refused.text().contains("You have reported this key 10 times."), "{}", refused.status);
        assert_eq!(all(&org).await.len(), 11);
        let rotate = [("change", "ask"), ("verdict", "rotate"), ("leaked", "yes"), ("comment", "It is known")];
        assert_eq!(admin.submit(&path, &rotate).await.status, 303);
        assert_eq!(open(&all(&org).await), ["It is known", "It is public"], "a reviewer speaks for all");
    }

    async fn a_leaked_secret_is_asked_about_until_it_ends(app: &TestApp) {
        let org = app.org("northwind").await;
        let (owner, admin) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "ari", Role::Admin).await);
        let leaked = [("change", "ask"), ("verdict", "rotate"), ("leaked", "yes")];
        let done = async || {
            let reviews = all(&org).await;
            let of = |name: &str| reviews.iter().find(|review| review.key.name.as_str() == name).unwrap().clone();
            let state = |name: &str| of(name).ask(app.clock.now()).unwrap().as_str();
            (state("Waits"), state("Ended"))
        };
        for name in ["Waits", "Ended"] {
            let id = org.key(name).await.id;
            let path = format!("{KEYS}/{id}");
            let at_once = |page: &HttpAnswer| page.body.contains("value=\"0\" checked");
            assert!(!at_once(&owner.get(&format!("{path}/rotate")).await));
            assert_eq!(admin.submit(&path, &leaked).await.status, 303);
            let form = owner.get(&format!("{path}/rotate")).await;
            assert!(at_once(&form) && words(&form).contains("This secret was reported as leaked."), "{}", form.body);
            rotate(&app.engine, &org.permit(), id, Rotation { overlap: DAY, token: None }).await.unwrap();
        }
        assert_eq!(done().await, ("open", "open"));
        let asked = owner.get(ASKED).await;
        for said in ["but the old secret works until", "It leaked, and works until", "End the old secret…"] {
            assert_eq!(words(&asked).matches(said).count(), 2, "{said}: {}", words(&asked));
        }
        let ended = all(&org).await.iter().find(|review| review.key.name.as_str() == "Ended").unwrap().key.id;
        assert_eq!(owner.submit(&format!("{KEYS}/{ended}"), &[("change", "end-old-secret")]).await.status, 303);
        assert_eq!(done().await, ("open", "done"));
        app.clock.advance(DAY);
        assert_eq!(done().await, ("done", "done"));
        // The sessions have ended meanwhile.
        let owner = app.signed_in(&org, "olga", Role::Owner).await;
        let asked = words(&owner.get(ASKED).await);
        assert!(asked.contains("Nothing is asked"), "{asked}");
        let history = words(&owner.get("/orgs/northwind/review/history").await);
        assert!(history.contains("Old secret ended by dana") && history.contains("; the old secret ended on"), "{history}");
    }
}
