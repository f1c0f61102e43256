//! Reviews: what they store, what they ask of owners, and how that ends.

use latchkey::{
    access::{Membership, Permit, Permitted},
    caller::{Person, Visit},
    convention::Scope,
    findings::{
        Code,
        list::{Which, count_attention},
        of_keys,
    },
    id::{KeyId, ReviewId, UserId},
    key::{RevokeReason, settings::SettingsChange},
    keys::{
        change_state::{disable, enable, revoke},
        list::{KeyQuery, SortBy, list},
        rotate::{Rotation, rotate},
    },
    reviews::{
        self, AnswerError, AskState, Aspect, Created, MAX_KEPT_FOR, MAX_PER_KEY, NewReview, Review,
        ReviewError, ReviewFilter, ReviewQuery, ReviewState, Verdict,
    },
    role::Role,
    time::DAY,
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, widget_key, with},
};

/// A rotation that ends the old secret.
const AT_ONCE: Rotation = Rotation {
    overlap: 0,
    token: None,
};

/// A review that has no date.
fn new(verdict: Verdict) -> NewReview {
    NewReview {
        verdict,
        aspect: None,
        comment: "Nobody knows it".parse().unwrap(),
        until: None,
        seen: None,
        seen_requests: None,
        creation_token: None,
    }
}

async fn permit<A: Permitted>(app: &TestApp, org: &TestOrg, user_id: UserId) -> Permit<A> {
    let person = Person {
        user_id,
        visit: Visit::default(),
    };
    let membership = Membership::find(&app.engine, person, &org.org.slug)
        .await
        .unwrap();
    membership.permit().unwrap()
}

async fn create(
    app: &TestApp,
    org: &TestOrg,
    by: UserId,
    key: KeyId,
    new: NewReview,
) -> Result<ReviewId, ReviewError> {
    let permit = permit(app, org, by).await;
    let created =
        reviews::create(&app.engine, &permit, &org.permit(), &org.permit(), key, new).await?;
    let (Created::Now(id) | Created::Before(id)) = created;
    Ok(id)
}

async fn find(app: &TestApp, org: &TestOrg, id: ReviewId) -> Review {
    reviews::find(&app.engine, &org.permit(), id)
        .await
        .unwrap()
        .unwrap()
}

async fn asked(app: &TestApp, org: &TestOrg) -> i64 {
    let query = ReviewQuery {
        asked: true,
        limit: 100,
        ..ReviewQuery::default()
    };
    let page = reviews::list(&app.engine, &org.permit(), &query)
        .await
        .unwrap();
    let count = reviews::count_asked(&app.engine, &org.permit())
        .await
        .unwrap();
    assert_eq!(page.reviews.len() as i64, count);
    assert!(
        page.reviews
            .iter()
            .all(|review| review.ask(app.clock.now()) == Some(AskState::Open))
    );
    count
}

/// How many keys are to be reviewed, are asked about, and are reviewed.
async fn states(org: &TestOrg) -> [usize; 3] {
    let mut counts = [0; 3];
    for (count, state) in
        counts
            .iter_mut()
            .zip([ReviewState::Open, ReviewState::Asked, ReviewState::Reviewed])
    {
        let review = Some(ReviewFilter {
            state: Some(state),
            ..ReviewFilter::default()
        });
        *count = org
            .names(KeyQuery {
                review,
                ..KeyQuery::default()
            })
            .await
            .len();
    }
    counts
}

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

    async fn what_was_asked_is_done_when_the_key_was_changed_as_asked(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let owner = org.person("olga", Role::Owner).await;
        let scopes = |names: &[&str]| -> Option<Vec<Scope>> { Some(names.iter().map(|name| name.parse().unwrap()).collect()) };
        let mut table = String::new();
        for verdict in [Verdict::Rotate, Verdict::Narrow, Verdict::Revoke] {
            for change in ["rotate", "narrow", "widen", "rename", "disable", "revoke"] {
                let settings = with(secret_key(change), |settings| settings.scopes = scopes(&["bots:read", "bots:write"]).unwrap());
                let key = org.create_key(settings).await.unwrap().id;
                let id = create(app, &org, admin, key, new(verdict)).await.unwrap();
                assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Open));
                app.clock.advance(2_000);
                match change {
                    "rotate" => { rotate(&app.engine, &permit(app, &org, owner).await, key, AT_ONCE).await.unwrap(); }
                    "narrow" => org.edit(key, SettingsChange { scopes: scopes(&["bots:read"]), ..SettingsChange::default() }).await.unwrap(),
                    "widen" => org.edit(key, SettingsChange { scopes: scopes(&[]), ..SettingsChange::default() }).await.unwrap(),
                    "rename" => org.edit(key, SettingsChange { name: Some("Renamed".parse().unwrap()), ..SettingsChange::default() }).await.unwrap(),
                    "disable" => disable(&app.engine, &permit(app, &org, owner).await, key).await.unwrap(),
                    _ => revoke(&app.engine, &permit(app, &org, owner).await, key, RevokeReason::Unused).await.unwrap(),
                }
                let review = find(app, &org, id).await;
                let state = review.ask(app.clock.now()).unwrap();
                if let Some(done) = &review.done {
                    assert_eq!(done.at, app.clock.now());
                    table += &format!("{verdict} {change}: {} {}\n", done.event, done.by.name.as_deref().unwrap_or(&done.by.kind));
                } else if ["disable", "revoke"].contains(&change) || state != AskState::Open {
                    table += &format!("{verdict} {change}: {}\n", state.as_str());
                }
            }
        }
        let expected = [
            "rotate rotate: key.rotated olga",
            "rotate disable: key.disabled olga",
            "rotate revoke: key.revoked olga",
            "narrow narrow: key.updated command_line",
            "narrow disable: key.disabled olga",
            "narrow revoke: key.revoked olga",
            "revoke disable: key.disabled olga",
            "revoke revoke: key.revoked olga",
        ];
        assert_eq!(table.lines().collect::<Vec<_>>(), expected);
        assert_eq!(asked(app, &org).await, 10);
    }

    async fn a_request_to_narrow_is_done_by_a_change_of_what_it_is_about(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let none = SettingsChange::default;
        let changes = [
            ("scopes", SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap()]), ..none() }),
            ("expiry", SettingsChange { expires_at: Some(Some(NOON.plus(90 * DAY))), ..none() }),
            ("later expiry", SettingsChange { expires_at: Some(Some(NOON.plus(200 * DAY))), ..none() }),
            ("ip_ranges", SettingsChange { ip_ranges: Some(vec!["192.0.2.0/24".parse().unwrap()]), ..none() }),
            ("domains", SettingsChange { domains: Some(vec!["shop.example".parse().unwrap()]), ..none() }),
            ("more domains", SettingsChange { domains: Some(vec!["shop.example".parse().unwrap(), "b.example".parse().unwrap(), "c.example".parse().unwrap()]), ..none() }),
            ("localhost", SettingsChange { localhost_forbidden: Some(true), ..none() }),
        ];
        for (name, change) in changes {
            let mut done = Vec::new();
            for aspect in Aspect::ALL.map(Some).into_iter().chain([None]) {
                let new_key = with(widget_key(name, &["shop.example", "b.example"]), |settings| settings.expires_at = Some(NOON.plus(100 * DAY)));
                let key = org.create_key(new_key).await.unwrap().id;
                let id = create(app, &org, admin, key, NewReview { aspect, ..new(Verdict::Narrow) }).await.unwrap();
                org.edit(key, change.clone()).await.unwrap();
                let review = find(app, &org, id).await;
                assert_eq!(review.aspect, aspect);
                if review.ask(app.clock.now()) == Some(AskState::Done) {
                    done.push(aspect.map_or("any", Aspect::as_str));
                }
            }
            let expected = match name {
                "later expiry" | "more domains" => Vec::new(),
                one => vec![one, "any"],
            };
            assert_eq!(done, expected, "{name}");
        }
        let key = org.key("Other").await.id;
        let wrong = create(app, &org, admin, key, NewReview { aspect: Some(Aspect::Scopes), ..new(Verdict::Rotate) }).await;
        assert!(matches!(wrong, Err(ReviewError::AspectWithoutNarrow)));
    }

    async fn a_promise_keeps_the_request_open_until_it_is_done_or_answered(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (org.person("ada", Role::Admin).await, org.person("olga", Role::Owner).await);
        let (first, second) = (org.key("First").await.id, org.key("Second").await.id);
        let mut ids = Vec::new();
        for key in [first, second] {
            ids.push(create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap());
        }
        let owners = async || permit(app, &org, owner).await;
        for (text, days) in [("", 0), ("Next week", 3), ("Next week", 3)] {
            app.clock.advance(days * DAY);
            reviews::promise(&app.engine, &owners().await, ids[0], text.parse().unwrap()).await.unwrap();
        }
        let review = find(app, &org, ids[0]).await;
        let promise = review.promise.clone().unwrap();
        assert_eq!((promise.at, promise.text.as_str(), promise.by.name.as_deref()), (NOON, "Next week", Some("olga")), "since the first promise");
        assert_eq!((review.ask(app.clock.now()), review.answer), (Some(AskState::Open), None));
        assert_eq!((asked(app, &org).await, states(&org).await), (2, [0, 2, 0]));
        let entries = async |event: &str| app.database.texts(&format!("SELECT changes FROM audit_log WHERE event = '{event}'")).await;
        let promises = entries("key.review_promised").await;
        assert!(promises.len() == 2 && promises.iter().all(|changes| changes.contains("rotate") && !changes.contains("Next week")), "a repeat is one: {promises:?}");
        rotate(&app.engine, &org.permit(), first, AT_ONCE).await.unwrap();
        let review = find(app, &org, ids[0]).await;
        assert_eq!((review.ask(app.clock.now()), review.promise), (Some(AskState::Done), Some(promise)));
        assert!(entries("key.rotated").await[0].contains("\"done_as_asked\":{\"from\":null,\"to\":[\"rotate\"]}"), "{:?}", entries("key.rotated").await);
        assert!(matches!(reviews::promise(&app.engine, &owners().await, ids[0], "".parse().unwrap()).await, Err(AnswerError::NotOpen)));
        reviews::promise(&app.engine, &owners().await, ids[1], "On Monday".parse().unwrap()).await.unwrap();
        app.clock.advance(DAY);
        reviews::answer(&app.engine, &owners().await, ids[1], "It is another key".parse().unwrap()).await.unwrap();
        let review = find(app, &org, ids[1]).await;
        let (promise, answer) = (review.promise.clone().unwrap(), review.answer.clone().unwrap());
        assert_eq!(review.ask(app.clock.now()), Some(AskState::Answered));
        assert_eq!((promise.text.as_str(), promise.at, answer.text.as_str(), answer.at), ("On Monday", app.clock.now().plus(-DAY), "It is another key", app.clock.now()));
        assert_eq!((entries("key.review_answered").await.len(), asked(app, &org).await), (1, 0));
    }

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

    async fn a_request_to_allow_domains_is_done_by_another_domain_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.create_key(widget_key("Widget", &["a.example", "b.example"])).await.unwrap().id;
        let id = create(app, &org, admin, key, new(Verdict::AllowDomains)).await.unwrap();
        let domains = |domains: &[&str]| SettingsChange { domains: Some(domains.iter().map(|domain| domain.parse().unwrap()).collect()), ..SettingsChange::default() };
        let none = SettingsChange::default;
        for change in [
            SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap()]), ..none() },
            SettingsChange { localhost_forbidden: Some(true), ..none() },
            domains(&["b.example"]),
        ] {
            org.edit(key, change).await.unwrap();
            assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Open));
        }
        org.edit(key, domains(&["b.example", "c.example"])).await.unwrap();
        assert_eq!(find(app, &org, id).await.ask(app.clock.now()), Some(AskState::Done));
        let secret = org.key("Server").await.id;
        let refused = create(app, &org, admin, secret, new(Verdict::AllowDomains)).await;
        assert!(matches!(refused, Err(ReviewError::NoDomains)));
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

    async fn reviews_and_their_keys_are_counted_as_they_are_listed(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let (first, second) = (org.key("First").await.id, org.key("Second").await.id);
        for key in [first, first, second] {
            create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap();
            app.clock.advance(DAY);
        }
        let count = async |query: ReviewQuery| {
            let listed = reviews::list(&app.engine, &org.permit(), &ReviewQuery { limit: 100, after: None, ..query }).await.unwrap();
            let counted = reviews::count(&app.engine, &org.permit(), &query).await.unwrap();
            assert_eq!(counted.reviews, listed.reviews.len() as i64);
            (counted.reviews, counted.keys)
        };
        let all = ReviewQuery::default();
        assert_eq!(count(all).await, (3, 2));
        assert_eq!(count(ReviewQuery { asked: true, ..all }).await, (2, 2));
        assert_eq!(count(ReviewQuery { key: Some(first), ..all }).await, (2, 1));
        assert_eq!(count(ReviewQuery { to: Some(NOON.plus(DAY)), ..all }).await, (1, 1));
        assert_eq!(count(ReviewQuery { verdict: Some(Verdict::Keep), ..all }).await, (0, 0));
        let page = reviews::list(&app.engine, &org.permit(), &ReviewQuery { limit: 1, ..all }).await.unwrap();
        assert_eq!(count(ReviewQuery { after: page.next, ..all }).await, (3, 2), "on all pages");
    }

    async fn what_was_asked_of_a_key_that_is_enabled_again_is_asked_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let key = org.key("Production").await.id;
        create(app, &org, admin, key, new(Verdict::Revoke)).await.unwrap();
        assert_eq!((asked(app, &org).await, states(&org).await), (1, [0, 1, 0]));
        disable(&app.engine, &org.permit(), key).await.unwrap();
        assert_eq!((asked(app, &org).await, states(&org).await), (0, [0, 0, 0]));
        // What disabling did is undone.
        enable(&app.engine, &org.permit(), key).await.unwrap();
        assert_eq!((asked(app, &org).await, states(&org).await), (1, [0, 1, 0]));
        // What was done besides stays done.
        let other = org.key("Staging").await.id;
        create(app, &org, admin, other, new(Verdict::Rotate)).await.unwrap();
        disable(&app.engine, &org.permit(), other).await.unwrap();
        rotate(&app.engine, &org.permit(), other, Rotation { overlap: 0, token: None }).await.unwrap();
        enable(&app.engine, &org.permit(), other).await.unwrap();
        assert_eq!(asked(app, &org).await, 1);
    }

    async fn an_owner_answers_once_and_the_key_is_to_be_reviewed_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (org.person("ada", Role::Admin).await, org.person("olga", Role::Owner).await);
        let key = org.key("Production").await.id;
        let id = create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap();
        let answer = async |text: &str| {
            let permit = permit(app, &org, owner).await;
            reviews::answer(&app.engine, &permit, id, text.parse().unwrap()).await
        };
        assert!(matches!(answer(" ").await, Err(AnswerError::Empty)));
        answer("Only the build server has it").await.unwrap();
        assert!(matches!(answer("Again").await, Err(AnswerError::NotOpen)));
        let review = find(app, &org, id).await;
        let said = review.answer.clone().unwrap();
        assert_eq!((said.text.as_str(), said.by.name.as_deref()), ("Only the build server has it", Some("olga")));
        assert_eq!(review.ask(app.clock.now()), Some(AskState::Answered));
        assert_eq!((asked(app, &org).await, states(&org).await), (0, [1, 0, 0]));
        // What is done later is not what closed it.
        app.clock.advance(2_000);
        rotate(&app.engine, &org.permit(), key, AT_ONCE).await.unwrap();
        assert_eq!(find(app, &org, id).await.done, None);
        let keep = create(app, &org, admin, key, new(Verdict::Keep)).await.unwrap();
        assert!(matches!(reviews::answer(&app.engine, &org.permit(), keep, "No".parse().unwrap()).await, Err(AnswerError::NotOpen)));
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

    async fn reviews_are_listed_by_period_page_by_page(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let admin = org.person("ada", Role::Admin).await;
        let mut ids = Vec::new();
        for number in 0..5 {
            let key = org.key(&format!("Key {number}")).await.id;
            ids.push(create(app, &org, admin, key, new(Verdict::Keep)).await.unwrap());
            app.clock.advance(DAY);
        }
        ids.reverse();
        let list = async |org: &TestOrg, query: ReviewQuery| {
            let (mut found, mut query) = (Vec::new(), ReviewQuery { limit: 2, ..query });
            loop {
                let page = reviews::list(&app.engine, &org.permit(), &query).await.unwrap();
                found.extend(page.reviews.iter().map(|review| review.id));
                query.after = page.next;
                if page.next.is_none() {
                    return found;
                }
            }
        };
        assert_eq!(list(&org, ReviewQuery::default()).await, ids);
        let period = ReviewQuery { from: Some(NOON.plus(DAY)), to: Some(NOON.plus(3 * DAY)), ..ReviewQuery::default() };
        assert_eq!(list(&org, period).await, ids[2..4]);
        assert_eq!(list(&org, ReviewQuery { verdict: Some(Verdict::Rotate), ..ReviewQuery::default() }).await, []);
        assert_eq!(list(&other, ReviewQuery::default()).await, []);
    }

    async fn with_ten_thousand_keys_a_page_is_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = org.person("ada", Role::Admin).await;
        let template = org.key("Template").await.id;
        create(app, &org, admin, template, new(Verdict::Rotate)).await.unwrap();
        app.database.execute(
            "INSERT INTO keys (id, org_id, project_id, name, search, sort_name, kind, environment, display, created_at) \
             WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 10000) \
             SELECT 'key_' || SUBSTR('00000000000000000000000000000000' || n, LENGTH('00000000000000000000000000000000' || n) - 31), \
             org_id, project_id, name, search, sort_name, kind, environment, display, created_at FROM keys, many",
        ).await;
        app.database.execute(&format!(
            "INSERT INTO reviews (id, org_id, key_id, verdict, comment, at, actor_kind, findings, codes) \
             SELECT REPLACE(id, 'key_', 'rev_'), org_id, id, 'rotate', '', 1, 'user', '[]', ' no_expiry ' FROM keys \
             WHERE id <> '{template}'"
        )).await;
        let review = Some(ReviewFilter { state: Some(ReviewState::Asked), ..ReviewFilter::default() });
        let query = KeyQuery { review, sort: SortBy::Severity, descending: true, page_size: 20, ..KeyQuery::default() };
        let page = list(&app.engine, &org.permit(), &query).await.unwrap();
        assert_eq!((page.keys.len(), page.matching), (20, 10_001));
        let ids: Vec<KeyId> = page.keys.iter().map(|key| key.id).collect();
        assert_eq!(reviews::current(&app.engine, &org.permit(), &ids).await.unwrap().len(), 20);
        assert_eq!(reviews::count_asked(&app.engine, &org.permit()).await.unwrap(), 1_000, "what every page shows is bounded");
        let asked = ReviewQuery { asked: true, limit: 20, ..ReviewQuery::default() };
        let page = reviews::list(&app.engine, &org.permit(), &asked).await.unwrap();
        assert_eq!((page.reviews.len(), page.next.is_some()), (20, true));
    }
}
