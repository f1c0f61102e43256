//! `/orgs/{org}/review` and the pages below it: the admin's way through the findings, the owners' answers, and the evidence.

use latchkey::{
    findings::Code,
    id::KeyId,
    key::RevokeReason,
    keys::{
        change_state,
        rotate::{Rotation, rotate},
    },
    orgs::policies,
    policy::KeyPolicy,
    reviews::{self, Review, ReviewQuery},
    revision::Known,
    role::Role,
    time::DAY,
};

use crate::test_app::{
    TestApp, TestOrg,
    org::{secret_key, widget_key, with},
};

const PAGE: &str = "/orgs/northwind/review";
/// The findings of a new key.
const SEEN: &str = "full_access no_expiry";

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

/// The words of a page, without its tags.
fn words(page: &str) -> String {
    let parts = page.split('<').map(|part| match part.split_once('>') {
        Some((_, text)) => text,
        None => part,
    });
    parts.collect()
}

on_both! {
    async fn a_key_that_expires_soon_is_kept_at_most_until_then(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let expires_at = app.engine.clock().now().plus(9 * DAY);
        let key = org.create_key(with(secret_key("Short"), |key| key.expires_at = Some(expires_at))).await.unwrap().id;
        let page = admin.get(PAGE).await.text();
        assert!(page.contains("Until it expires (Nov 30, 2026)") && !page.contains("For 90 days"), "{page}");
        for days in ["", "90", "365"] {
            let fields = [("key", &*key.to_string()), ("verdict", "keep"), ("comment", ""), ("days", days), ("seen", "expires_soon full_access")];
            let kept = admin.submit(PAGE, &fields).await;
            assert_eq!(kept.status, 303, "{days}: {}", kept.text());
            assert_eq!(all(&org).await[0].until, Some(expires_at), "{days}");
            app.clock.advance(1_000);
        }
        // Others are kept for as long as the reviewer says.
        let other = org.key("Long").await.id;
        let page = admin.get(PAGE).await.text();
        assert!(page.contains("For 90 days") && !page.contains("Until it expires"), "{page}");
        let fields = [("key", &*other.to_string()), ("verdict", "keep"), ("comment", ""), ("days", "90"), ("seen", SEEN)];
        assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        assert_eq!(all(&org).await[0].until, Some(app.engine.clock().now().plus(90 * DAY)));
    }

    async fn an_admin_keeps_a_key_and_continues_with_the_next_one(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let mut ids = Vec::new();
        for name in ["Third", "Second", "<First>"] {
            ids.insert(0, org.key(name).await.id.to_string());
            app.clock.advance(1_000);
        }
        let page = admin.get(PAGE).await;
        let text = page.text();
        for said in ["&lt;First&gt;", "Full access: no scopes selected.", "The key never expires.", "Ask to rotate"] {
            assert!(page.body.contains(said) || text.contains(said), "{said}: {text}");
        }
        let said = "3 active keys with findings: 3 to review, 0 with owners asked, 0 reviewed. 0 of 3 reviewed by a person since";
        assert!(words(&page.body).contains(said), "{}", words(&page.body));
        assert!(!page.body.contains("/rotate\""), "an admin cannot rotate");
        let place = |body: &str, id: &str| body.find(&format!("id=\"{id}\"")).unwrap();
        assert!(place(&page.body, &ids[0]) < place(&page.body, &ids[1]), "the newest is first");
        let token = page.hidden("token");
        let filtered = format!("{PAGE}?finding=no_expiry");
        let fields = [("key", ids[0].as_str()), ("verdict", "keep"), ("comment", "Ours"), ("days", "30"), ("seen", SEEN), ("next", &ids[1]), ("token", &token)];
        let kept = admin.submit(&filtered, &fields).await;
        assert_eq!((kept.status.as_u16(), kept.header("location")), (303, format!("{filtered}#{}", ids[1]).as_str()));
        let page = admin.get(&filtered).await;
        assert!(page.text().contains("“<First>” is kept until Dec 21, 2026.") || page.body.contains("“&lt;First&gt;” is kept until Dec 21, 2026."), "{}", page.body);
        assert!(!page.body.contains(&format!("id=\"{}\"", ids[0])) && words(&page.body).contains("3 active keys with findings: 2 to review, 0 with owners asked, 1 reviewed. 1 of 3 reviewed"), "{}", page.text());
        let reviewed = admin.get(&format!("{PAGE}?state=reviewed")).await;
        assert!(reviewed.text().contains("Keep until Dec 21, 2026") && reviewed.text().contains("Ours"));
        // Submitted twice, it is reviewed once.
        assert_eq!(admin.submit(&filtered, &fields).await.status, 303);
        assert_eq!(all(&org).await.len(), 1);
        app.clock.advance(30 * DAY);
        // Their session has ended meanwhile.
        let again = app.signed_in(&org, "kim", Role::Admin).await.get(PAGE).await;
        assert!(again.body.contains(&format!("id=\"{}\"", ids[0])), "its date has passed");
    }

    async fn what_an_admin_asks_an_owner_does_or_answers(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (first, second) = (org.key("First").await.id, org.key("Second").await.id);
        assert!(owner.get(PAGE).await.body.contains(&format!("/orgs/northwind/keys/{first}/rotate")));
        for (key, verdict) in [(first, "rotate"), (second, "revoke")] {
            let key = key.to_string();
            let fields = [("key", key.as_str()), ("verdict", verdict), ("comment", "Too old"), ("seen", SEEN)];
            assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        }
        assert!(admin.get(PAGE).await.text().contains("Nothing to review"));
        let asked = format!("{PAGE}/asked");
        let page = owner.get(&asked).await;
        for said in ["Asked to rotate", "Asked to revoke", "Too old", "ari", "Asked of you", "2 requests of reviewers"] {
            assert!(page.text().contains(said), "{said}: {}", page.text());
        }
        assert!(page.body.contains(&format!("/orgs/northwind/keys/{second}?revoke=1")));
        assert!(!admin.get(&asked).await.body.contains("name=\"answer\""), "admins do not answer");
        app.clock.advance(2_000);
        rotate(&app.engine, &org.permit(), first, Rotation { overlap: 0, token: None }).await.unwrap();
        let id = all(&org).await.into_iter().find(|review| review.key.id == second).unwrap().id.to_string();
        let empty = owner.submit(&asked, &[("review", &id), ("answer", " ")]).await;
        assert!(empty.status == 422 && empty.text().contains("Enter an answer"), "{}", empty.text());
        let answered = owner.submit(&asked, &[("review", &id), ("answer", "A partner needs it")]).await;
        assert_eq!(answered.header("location"), asked);
        assert!(owner.get(&asked).await.text().contains("Nothing is asked"));
        let twice = owner.submit(&asked, &[("review", &id), ("answer", "Again")]).await;
        assert!(twice.status == 422 && twice.text().contains("no longer open"));
        // The admin decides again.
        let queue = admin.get(PAGE).await;
        assert!(queue.text().contains("A partner needs it") && queue.text().contains("Rotated by the operator"), "{}", queue.text());
        let history = admin.get(&format!("{PAGE}/history")).await;
        for said in ["Asked to rotate", "Rotated by the operator on Nov 21, 2026, 12:00 UTC", "Answered by dana", "A partner needs it"] {
            assert!(history.text().contains(said), "{said}: {}", history.text());
        }
        let of_key = admin.get(&format!("/orgs/northwind/keys/{second}")).await;
        assert!(of_key.text().contains("Asked to revoke") && of_key.text().contains("A partner needs it"));
    }

    async fn a_review_of_what_was_not_seen_or_does_not_work_is_rejected(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let key = org.key("Production").await.id;
        let submit = async |key: KeyId, verdict: &str, comment: &str, seen: &str| {
            let key = key.to_string();
            admin.submit(PAGE, &[("key", &key), ("verdict", verdict), ("comment", comment), ("seen", seen)]).await
        };
        let unseen = submit(key, "keep", "Known", "no_expiry").await;
        assert!(unseen.status == 422 && unseen.text().contains("Found since you opened the page: “Full access”."), "{}", unseen.text());
        assert!(unseen.body.contains("value=\"Known\""), "what was typed is kept");
        let long = submit(key, "keep", &"x".repeat(1_001), SEEN).await;
        assert!(long.status == 422 && long.text().contains("at most 1,000 characters"));
        assert_eq!(submit(key, "maybe", "", SEEN).await.status, 400);
        latchkey::keys::change_state::disable(&app.engine, &org.permit(), key).await.unwrap();
        let disabled = submit(key, "keep", "", SEEN).await;
        assert!(disabled.status == 422 && disabled.text().contains("Only active keys can be reviewed."), "{}", disabled.text());
        let theirs = app.org("contoso").await.key("Theirs").await.id;
        assert_eq!(submit(theirs, "keep", "", SEEN).await.status, 404);
        assert_eq!(all(&org).await.len(), 0);
    }

    async fn the_evidence_is_a_file_and_a_page_to_print(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let key = org.key("=Production").await.id.to_string();
        let fields = [("key", key.as_str()), ("verdict", "keep"), ("comment", "=1+1"), ("days", "90"), ("seen", SEEN)];
        admin.submit(PAGE, &fields).await;
        let history = format!("{PAGE}/history");
        let page = admin.get(&format!("{history}?from=2026-11-21&to=2026-11-21&project=&kind=secret")).await;
        assert!(page.text().contains("=Production") && page.body.contains("history.csv?kind=secret&amp;from=2026-11-21&amp;to=2026-11-21"), "{}", page.body);
        let print = admin.get(&format!("{history}?print=1&from=2026-11-21")).await;
        for said in ["northwind. Reviews since Nov 21, 2026 (UTC), as of Nov 21, 2026, 12:00 UTC.", "1 review of 1 key. Of 1 active key with findings now, a person reviewed 1 in this period.", "Full access: no scopes selected.", "Keep until Feb 19, 2027", "ari"] {
            assert!(print.text().contains(said), "{said}: {}", print.text());
        }
        assert!(!print.body.contains("review-tabs") && !print.text().contains("Newest"), "nothing to navigate in print");
        assert!(words(&print.body).contains(&key) && !words(&page.body).contains(&key), "the key's ID is on paper");
        assert!(!print.text().contains("by a token"));
        let filtered = admin.get(&format!("{history}?print=1&verdict=keep&kind=secret&key={key}")).await;
        let said = format!("northwind. Reviews (UTC), with the decision Keep, of the type Secret, of the key {key}, as of");
        assert!(filtered.text().contains(&said), "{}", filtered.text());
        assert!(admin.get(&format!("{history}?print=1")).await.text().contains("northwind. All reviews (UTC), as of"));
        assert!(admin.get(&format!("{history}?to=2026-11-20")).await.text().contains("No reviews found"));
        assert!(admin.get(&format!("{history}?from=yesterday")).await.text().contains("Invalid filters"));
        let file = admin.get(&format!("{history}.csv?from=2026-11-21")).await;
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"reviews-northwind-2026-11-21.csv\"");
        let [head, row] = <[&str; 2]>::try_from(file.body.lines().collect::<Vec<_>>()).unwrap();
        assert!(head.starts_with("at,key_id,key_name,kind,environment,project,reviewer_kind,"), "{head}");
        let begin = format!("2026-11-21T12:00:00.000Z,{key},'=Production,secret,live,Default,user,usr_");
        assert!(row.starts_with(&begin) && row.contains(",ari,keep,2027-02-19T12:00:00.000Z,'=1+1,full_access no_expiry,") && row.ends_with(",active,,,,,,'=Production,"), "{row}");
        assert_eq!(admin.get(&format!("{history}.csv?key=Shop")).await.status, 400);
        let other = app.org("contoso").await;
        let stranger = app.signed_in(&other, "eve", Role::Owner).await;
        assert!(stranger.get("/orgs/contoso/review/history").await.text().contains("No reviews yet"));
        assert_eq!(stranger.get("/orgs/contoso/review/history.csv").await.body.lines().count(), 1);
    }

    async fn each_step_leads_an_owner_to_its_form_and_lets_an_admin_ask_for_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let policy = KeyPolicy { ip_ranges_required: true, localhost_forbidden: true, longest_life_days: Some(60), ..KeyPolicy::default() };
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let mut keys = Vec::new();
        let with_scope = |new| with(new, |settings| settings.scopes = vec!["bots:read".parse().unwrap()]);
        for (new, days, step, ask) in [
            (secret_key("No expiry"), None, "/edit#expires", ("narrow.expiry", "Ask to set an expiry date")),
            (secret_key("Too long"), Some(90), "/edit#expires", ("narrow.expiry", "Ask for an earlier expiry date")),
            (secret_key("Ending"), Some(2), "/edit#expires", ("extend", "Ask to extend or replace")),
            (secret_key("Anywhere"), Some(30), "/edit#ip_ranges", ("narrow.ip_ranges", "Ask to enter IP ranges")),
            (widget_key("Localhost", &["shop.example"]), Some(30), "#localhost", ("narrow.localhost", "Ask to block localhost")),
        ] {
            let new = with(with_scope(new), |settings| settings.expires_at = days.map(|days| app.clock.now().plus(days * DAY)));
            keys.push((org.create_key(new).await.unwrap().id, step, ask));
        }
        policies::change(&app.engine, &org.permit(), policy, &Known::Nothing).await.unwrap();
        let of_key = |page: &str, id: KeyId| {
            let (_, row) = page.split_once(&format!("id=\"{id}\"")).unwrap();
            row.split("</form>").next().unwrap().to_owned()
        };
        let (for_admin, for_owner) = (admin.get(PAGE).await, owner.get(PAGE).await);
        for (id, step, ask) in &keys {
            let (admins, owners) = (of_key(&for_admin.body, *id), of_key(&for_owner.body, *id));
            assert!(owners.contains(&format!("href=\"/orgs/northwind/keys/{id}{step}\"")), "{step}: {owners}");
            assert!(!admins.contains(step), "an admin cannot: {admins}");
            let (value, text) = ask;
            assert!(admins.contains(&format!("value=\"{value}\"")) && admins.contains(text), "{value}: {admins}");
        }
        let (id, ..) = keys[4];
        let seen: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let fields = [("key", &*id.to_string()), ("verdict", "narrow.localhost"), ("seen", &seen.join(" "))];
        assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        let asked = format!("{PAGE}/asked");
        let page = owner.get(&asked).await;
        assert!(page.text().contains("Asked to block localhost") && page.body.contains(&format!("/orgs/northwind/keys/{id}#localhost")), "{}", page.body);
        let review = all(&org).await.remove(0).id.to_string();
        let promised = owner.submit(&asked, &[("review", &review), ("promise", "1"), ("answer", "On Monday")]).await;
        assert_eq!(promised.header("location"), asked);
        for browser in [&admin, &owner] {
            let page = browser.get(&asked).await.text();
            assert!(page.contains("dana will do it, promised on Nov 21, 2026, 12:00 UTC") && page.contains("On Monday"), "{page}");
        }
        owner.submit(&format!("/orgs/northwind/keys/{id}"), &[("localhost", "forbid")]).await;
        assert!(owner.get(&asked).await.text().contains("Nothing is asked"));
        let history = admin.get(&format!("{PAGE}/history")).await.text();
        assert!(history.contains("Localhost blocked by dana on Nov 21, 2026"), "{history}");
        assert_eq!(admin.submit(PAGE, &[("key", &*id.to_string()), ("verdict", "narrow.name")]).await.status, 400);
    }

    async fn what_is_asked_side_by_side_ends_with_a_word_when_the_key_is_kept(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let key = org.key("Production").await.id.to_string();
        let submit = async |verdict: &str, comment: &str| {
            let fields = [("key", key.as_str()), ("verdict", verdict), ("comment", comment), ("days", "90"), ("seen", SEEN)];
            admin.submit(PAGE, &fields).await
        };
        let (all_keys, asked) = (format!("{PAGE}?state=all"), format!("{PAGE}/asked"));
        assert!(!admin.get(&all_keys).await.text().contains("requires a comment"));
        for (verdict, comment) in [("rotate", "A copy is on a laptop"), ("narrow.scopes", "It only reads")] {
            assert_eq!(submit(verdict, comment).await.status, 303);
            app.clock.advance(1_000);
        }
        let card = admin.get(&all_keys).await.text();
        for said in ["Keeping the key ends what is asked of the owners: rotate, restrict scopes. It requires a comment.", "Ask to rotate again", "What you ask again replaces the earlier request."] {
            assert!(card.contains(said), "{said}: {card}");
        }
        let page = owner.get(&asked).await.text();
        for said in ["Asked to rotate", "A copy is on a laptop", "Asked to restrict scopes", "It only reads"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let unseen = submit("keep", "Ours").await;
        assert!(unseen.status == 422 && unseen.text().contains("Asked of the owners since you opened the page: rotate, restrict scopes."), "{}", unseen.text());
        let shown = admin.get(&all_keys).await.hidden("requests");
        let submit = async |verdict: &str, comment: &str| {
            let fields = [("key", key.as_str()), ("verdict", verdict), ("comment", comment), ("days", "90"), ("seen", SEEN), ("requests", &shown)];
            admin.submit(PAGE, &fields).await
        };
        let silent = submit("keep", " ").await;
        assert!(silent.status == 422 && silent.text().contains("Keeping it ends what is asked of the owners: rotate, restrict scopes."), "{}", silent.text());
        assert_eq!(all(&org).await.len(), 2);
        assert_eq!(submit("keep", "The laptop was wiped").await.status, 303);
        let page = owner.get(&asked).await.text();
        for said in ["Nothing is asked", "Ended by a reviewer in the last 30 days", "Ended by ari on Nov 21, 2026, 12:00 UTC: the key is kept", "The laptop was wiped"] {
            assert!(page.contains(said), "{said}: {page}");
        }
    }

    async fn a_promise_remains_after_an_answer(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let key = org.key("Production").await.id.to_string();
        admin.submit(PAGE, &[("key", &key), ("verdict", "rotate"), ("seen", SEEN)]).await;
        let (review, asked) = (all(&org).await.remove(0).id.to_string(), format!("{PAGE}/asked"));
        owner.submit(&asked, &[("review", &review), ("promise", "1"), ("answer", "With the next release")]).await;
        owner.submit(&asked, &[("review", &review), ("answer", "It is gone already")]).await;
        let history = format!("{PAGE}/history");
        for path in [history.clone(), format!("{history}?print=1")] {
            let page = admin.get(&path).await.text();
            for said in ["Promised by dana on Nov 21, 2026, 12:00 UTC", "With the next release", "Answered by dana on", "It is gone already"] {
                assert!(page.contains(said), "{said}: {page}");
            }
        }
        let file = admin.get(&format!("{history}.csv")).await.body;
        assert!(file.contains(",dana,It is gone already,") && file.contains(",2026-11-21T12:00:00.000Z,dana,With the next release,"), "{file}");
        let log = words(&admin.get("/orgs/northwind/audit").await.body);
        assert!(log.contains("promised to do what a review asks of the key") || log.contains("Promised to do what a review asks of the key"), "{log}");
        assert!(log.contains("Asked to: rotate") && log.contains("Decision: Ask to rotate"), "{log}");
    }

    async fn a_request_without_an_answer_says_since_when_from_the_seventh_day_on(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let key = org.key("Production").await.id.to_string();
        admin.submit(PAGE, &[("key", &key), ("verdict", "rotate"), ("seen", SEEN)]).await;
        let page = async |name: &str| app.signed_in(&org, name, Role::Owner).await.get(&format!("{PAGE}/asked")).await.text();
        app.clock.advance(7 * DAY - 1);
        assert!(!page("dana").await.contains("without an answer"));
        app.clock.advance(1);
        let late = page("kim").await;
        assert!(late.contains("Open for 7 days without an answer"), "{late}");
    }

    async fn an_admin_asks_to_allow_the_domains_of_rejected_requests(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let new = with(widget_key("Shop", &["shop.example"]), |settings| {
            settings.scopes = vec!["bots:read".parse().unwrap()];
            settings.expires_at = Some(app.clock.now().plus(60 * DAY));
        });
        let id = org.create_key(new).await.unwrap().id;
        app.database.execute(&format!(
            "INSERT INTO usage_domains (org_id, subject_id, starts_at, domain, passed, count) VALUES ('{}', '{id}', {}, 'https://new.example', FALSE, 5000)",
            org.org.id, app.clock.now().floor(DAY).as_millis(),
        )).await;
        let page = admin.get(PAGE).await;
        assert!(page.body.contains("value=\"allow_domains\"") && page.text().contains("Ask to allow the domains"), "{}", page.text());
        assert_eq!(page.text().matches("Allow the domains that are yours.").count(), 1);
        let seen: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(admin.submit(PAGE, &[("key", &*id.to_string()), ("verdict", "allow_domains"), ("seen", &seen.join(" "))]).await.status, 303);
        let asked = format!("{PAGE}/asked");
        let page = owner.get(&asked).await;
        assert!(page.text().contains("Asked to allow domains") && page.body.contains(&format!("/orgs/northwind/keys/{id}#add")), "{}", page.text());
        let domains = Some(vec!["shop.example".parse().unwrap(), "new.example".parse().unwrap()]);
        org.edit(id, latchkey::key::settings::SettingsChange { domains, ..Default::default() }).await.unwrap();
        let history = admin.get(&format!("{PAGE}/history")).await.text();
        assert!(history.contains("Domains allowed by the operator"), "{history}");
    }

    async fn each_number_of_the_review_is_that_of_a_list(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let mut ids = Vec::new();
        for name in ["Open", "Kept", "Asked", "Revoked", "Kept before"] {
            ids.push(org.key(name).await.id.to_string());
        }
        let submit = async |key: &str, verdict: &str| {
            let fields = [("key", key), ("verdict", verdict), ("days", "365"), ("seen", SEEN)];
            assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        };
        submit(&ids[4], "keep").await;
        app.clock.advance(2 * DAY);
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let submit = async |key: &str, verdict: &str| {
            let fields = [("key", key), ("verdict", verdict), ("days", "365"), ("seen", SEEN)];
            assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        };
        submit(&ids[1], "keep").await;
        submit(&ids[2], "rotate").await;
        submit(&ids[3], "revoke").await;
        let revoked: KeyId = ids[3].parse().unwrap();
        change_state::revoke(&app.engine, &org.permit(), revoked, RevokeReason::Unused).await.unwrap();
        let since = "since=2026-11-23";
        let page = words(&admin.get(&format!("{PAGE}?{since}")).await.body);
        assert!(page.contains("4 active keys with findings: 1 to review, 1 with owners asked, 2 reviewed. 2 of 4 reviewed by a person since Nov 23, 2026."), "{page}");
        for (state, keys) in [("", &[0][..]), ("&state=asked", &[2]), ("&state=reviewed", &[1, 4]), ("&state=since", &[1, 2]), ("&state=all", &[0, 1, 2, 4])] {
            let listed = admin.get(&format!("{PAGE}?{since}{state}")).await.body;
            let is_listed = |place: &usize| listed.contains(&format!("id=\"{}\"", ids[*place]));
            let found: Vec<usize> = (0..ids.len()).filter(is_listed).collect();
            assert_eq!(found, keys, "{state}");
        }
        let history = admin.get(&format!("{PAGE}/history?from=2026-11-23")).await.text();
        assert!(history.contains("3 reviews of 3 keys. Of 4 active keys with findings now, a person reviewed 2 in this period."), "{history}");
        assert!(history.contains("Secret · Live · Default · Revoked"), "{history}");
        let of_key = admin.get(&format!("{PAGE}/history?key={}", ids[1])).await.text();
        assert!(of_key.contains("1 review of 1 key.") && !of_key.contains("with findings now"), "{of_key}");
        let file = admin.get(&format!("{PAGE}/history.csv?from=2026-11-23")).await.body;
        assert_eq!(file.lines().count(), 1 + 3);
        assert_eq!(file.lines().filter(|row| row.contains(",revoked,")).count(), 1);
    }

    async fn pages_say_what_admins_can_do_and_whom_to_ask(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let asked = words(&admin.get(&format!("{PAGE}/asked")).await.body);
        assert!(asked.contains("Reviewers ask the owners to change these keys.") && asked.contains("Ask dana (dana@northwind.example) to change a key."), "{asked}");
        assert!(!words(&owner.get(&format!("{PAGE}/asked")).await.body).contains("to change a key."));
        let page = words(&owner.get("/orgs/northwind/settings/security").await.body);
        assert!(page.contains("review keys, and ask owners to change them. Only owners change keys.") && !page.contains("change nothing"), "{page}");
    }

    async fn what_is_asked_says_what_to_do_and_where_and_how_urgent_it_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let without = org.key("Without").await.id;
        let new = with(secret_key("Long"), |settings| settings.expires_at = Some(app.clock.now().plus(365 * DAY)));
        let long = org.create_key(new).await.unwrap().id;
        let policy = KeyPolicy { longest_life_days: Some(90), ..KeyPolicy::default() };
        policies::change(&app.engine, &org.permit(), policy, &Known::Nothing).await.unwrap();
        let seen: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for id in [without, long] {
            let fields = [("key", &*id.to_string()), ("verdict", "narrow.expiry"), ("seen", &seen.join(" "))];
            assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        }
        let page = owner.get(&format!("{PAGE}/asked")).await;
        let text = words(&page.body);
        for said in [
            "Edit the key, and set an expiry date under “Expires”, at most 90 days from now (Feb 19, 2027).",
            "Asked to set an expiry date",
            "Set an expiry date Without",
            "Edit the key, and set a date before Nov 21, 2027 under “Expires”, at most 90 days from now (Feb 19, 2027).",
            "Asked to set an earlier expiry date",
            "Change the expiry date Long",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(page.text().contains("</div><span class=\"tag plain warn\">Medium"), "{}", page.text());
    }

    async fn what_needs_attention_is_not_kept_by_the_primary_button_and_each_decision_has_its_own_comment(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let (leaked, calm) = (org.key("Leaked").await, org.key("Calm").await);
        app.database.execute(&format!(
            "INSERT INTO key_findings (org_id, key_id, secret_id, finding, first_at, last_at, count, origin) \
             SELECT '{}', key_id, id, 'secret_key_in_browser', {1}, {1}, 3, 'https://page.example' FROM key_secrets WHERE key_id = '{2}'",
            org.org.id, app.clock.now().as_millis(), leaked.id,
        )).await;
        let of_key = |page: &str, id: KeyId| {
            let (_, row) = page.split_once(&format!("id=\"{id}\"")).unwrap();
            row.split("class=\"card review\"").nth(1).unwrap().to_owned()
        };
        let (keep, primary) = ("value=\"keep\"", "btn primary");
        for (browser, recommended) in [(&admin, "value=\"rotate\""), (&owner, "/rotate\"")] {
            let page = browser.get(PAGE).await.body;
            for (id, marked) in [(leaked.id, recommended), (calm.id, keep)] {
                let row = of_key(&page, id);
                assert_eq!(row.matches(primary).count(), 1, "{row}");
                let (before, _) = row.split_once(primary).unwrap();
                assert!(before.rsplit('<').next().unwrap().contains(marked), "{marked}: {row}");
            }
        }
        let row = of_key(&admin.get(PAGE).await.body, leaked.id);
        let [ask, keep] = [("Comment for the owners of Leaked", "rotate"), ("Why Leaked can be kept", "keep")];
        for (comment, verdict) in [ask, keep] {
            let form = row.split("<form").find(|form| form.contains(comment)).unwrap();
            assert!(form.contains(&format!("value=\"{verdict}\"")) && form.matches("name=\"comment\"").count() == 1, "{form}");
        }
        assert!(!owner.get(PAGE).await.body.contains("Comment for the owners"), "owners ask nobody");
        // What was typed comes back where it was typed.
        let long = "x".repeat(1_001);
        for ((label, verdict), (other, _)) in [(ask, keep), (keep, ask)] {
            let fields = [("key", &*calm.id.to_string()), ("verdict", verdict), ("comment", &long), ("seen", SEEN)];
            let refused = admin.submit(PAGE, &fields).await.body.replace("Leaked", "Calm");
            let field = |label: &str| {
                let with = refused.split("<input").filter(|input| input.contains(&label.replace("Leaked", "Calm")));
                with.filter(|input| input.contains("xxx")).count()
            };
            assert_eq!((field(label), field(other)), (1, 0), "{verdict}");
        }
        // Both decisions from one page count, and the same one twice counts once.
        let token = admin.get(PAGE).await.hidden("token");
        for verdict in ["rotate", "revoke", "revoke"] {
            let fields = [("key", &*calm.id.to_string()), ("verdict", verdict), ("seen", SEEN), ("token", &token)];
            assert_eq!(admin.submit(PAGE, &fields).await.status, 303);
        }
        assert_eq!(all(&org).await.len(), 2);
    }

    async fn a_reviewer_withdraws_what_they_asked(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (app.signed_in(&org, "ari", Role::Admin).await, app.signed_in(&org, "dana", Role::Owner).await);
        let other = app.signed_in(&org, "kim", Role::Admin).await;
        let key = org.key("Production").await.id.to_string();
        assert_eq!(admin.submit(PAGE, &[("key", &key), ("verdict", "rotate"), ("seen", SEEN)]).await.status, 303);
        let (review, asked) = (all(&org).await.remove(0).id.to_string(), format!("{PAGE}/asked"));
        let withdraw = [("review", review.as_str()), ("withdraw", "1")];
        for page in [asked.clone(), format!("{PAGE}?state=asked")] {
            assert!(admin.get(&page).await.body.contains("name=\"withdraw\""), "{page}");
            assert!(!other.get(&page).await.body.contains("name=\"withdraw\"") && !owner.get(&page).await.body.contains("name=\"withdraw\""), "{page}");
        }
        for browser in [&other, &owner] {
            let refused = browser.submit(&asked, &withdraw).await;
            assert!(refused.status == 422 && refused.text().contains("Only the reviewer who asked can withdraw a request."), "{}", refused.text());
        }
        for _ in 0..2 {
            assert_eq!(admin.submit(&asked, &withdraw).await.header("location"), asked);
        }
        let page = owner.get(&asked).await.text();
        assert!(page.contains("Nothing is asked") && !page.contains("Ended by a reviewer"), "{page}");
        assert!(admin.get(PAGE).await.body.contains(&format!("id=\"{key}\"")), "it is to be reviewed again");
        let history = admin.get(&format!("{PAGE}/history")).await.text();
        assert!(history.contains("Asked to rotate") && history.contains("Withdrawn by the reviewer on Nov 21, 2026, 12:00 UTC"), "{history}");
        let file = admin.get(&format!("{PAGE}/history.csv")).await.body;
        assert!(file.contains(",withdrawn,") && file.lines().nth(1).unwrap().ends_with(",2026-11-21T12:00:00.000Z"), "{file}");
        let log = words(&admin.get("/orgs/northwind/audit").await.body);
        assert!(log.to_lowercase().contains("withdrew a request to the owners about the key"), "{log}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'key.review_withdrawn'").await, 1);
        // The same can be asked again, and what is done or answered is not withdrawn.
        assert_eq!(admin.submit(PAGE, &[("key", &key), ("verdict", "rotate"), ("seen", SEEN)]).await.status, 303);
        let second = app.database.texts("SELECT id FROM reviews WHERE withdrawn_at IS NULL").await.remove(0);
        owner.submit(&asked, &[("review", &second), ("answer", "Not now")]).await;
        let late = admin.submit(&asked, &[("review", &second), ("withdraw", "1")]).await;
        assert!(late.status == 422 && late.text().contains("This request is no longer open"), "{}", late.text());
    }

    async fn an_org_without_findings_is_told_so(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        for state in ["", "?state=asked", "?state=reviewed", "?state=since", "?state=all"] {
            let page = admin.get(&format!("{PAGE}{state}")).await.text();
            assert!(page.contains("No findings") && page.contains("No active key has findings.") && !page.contains("Every finding is reviewed"), "{state}: {page}");
            assert!(!words(&page).contains("0 active keys"), "{state}: zeros: {page}");
        }
        assert!(admin.get(&format!("{PAGE}?finding=no_expiry")).await.text().contains("No key matches these filters."));
        let key = org.key("Production").await.id.to_string();
        admin.submit(PAGE, &[("key", &key), ("verdict", "keep"), ("days", "30"), ("seen", SEEN)]).await;
        let page = admin.get(PAGE).await.text();
        assert!(page.contains("Nothing to review") && page.contains("Every finding is reviewed"), "{page}");
    }

    async fn a_member_has_no_such_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "sam", Role::Member).await;
        for path in ["", "/asked", "/history", "/history.csv"] {
            assert_eq!(member.get(&format!("{PAGE}{path}")).await.status, 403, "{path}");
        }
        let keys = member.get("/orgs/northwind/keys").await;
        assert!(!keys.body.contains("/orgs/northwind/review"));
    }
}
