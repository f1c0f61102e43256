//! Findings: the pure function, the filters and the counts say the same.

use std::collections::BTreeSet;

use latchkey::{
    access::Membership,
    caller::{Person, Visit},
    findings::{
        Code, Finding, KeyFindings, Severity,
        list::{FindingsQuery, Which, count_attention, list},
        of_keys,
    },
    id::KeyId,
    key::{Kind, settings::SettingsChange, text::PlainKey},
    keys::{
        list::KeyQuery,
        rotate::{Rotation, rotate},
    },
    orgs::policies,
    policy::KeyPolicy,
    random::Randomness,
    reviews::{self, NewReview, Verdict},
    revision::Known,
    role::Role,
    time::DAY,
    usage::flush::flush,
    verify::Request,
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, widget_key, with},
};

/// Picks values that depend only on the number of the call.
struct Dice(Randomness);

impl Dice {
    fn pick<T: Copy>(&self, from: &[T]) -> T {
        let bytes: [u8; 1] = self.0.bytes().unwrap();
        from[usize::from(bytes[0]) % from.len()]
    }
}

/// Creates keys of all kinds, of all ages, with and without leaks.
async fn many_keys(app: &TestApp, org: &TestOrg, count: usize) -> Vec<KeyId> {
    let dice = Dice(Randomness::seeded(11));
    let gone = org.person("gone", Role::Owner).await;
    let here = org.person("here", Role::Owner).await;
    app.database
        .execute(&format!("DELETE FROM memberships WHERE user_id = '{gone}'"))
        .await;
    let has_widgets = org
        .engine
        .convention()
        .prefixes()
        .any(|(_, kind, _)| kind == Kind::Widget);
    let offered: Vec<String> = org
        .engine
        .convention()
        .scopes
        .iter()
        .map(|scope| scope.name.to_string())
        .collect();
    let mut ids = Vec::new();
    for number in 0..count {
        let domains = dice.pick(&[
            &["shop.example"][..],
            &["localhost", "a.example"],
            &["http://localhost:5173"],
            &["localhost.example"],
            &["mylocalhost.example"],
            &["127.0.0.1:3000", "a.example"],
            &["http://[::1]:3000"],
            &["app.localhost"],
            &["127.example.com"],
        ]);
        let new = match has_widgets && number % 2 == 0 {
            true => widget_key(&format!("Key {number}"), domains),
            false => secret_key(&format!("Key {number}")),
        };
        let scopes: Vec<&str> = match dice.pick(&[0, 1, 2, 3, 4]) {
            1 if !offered.is_empty() => vec![&offered[0]],
            2 if !offered.is_empty() => offered.iter().map(String::as_str).collect(),
            3 if !offered.is_empty() => offered[1..].iter().map(String::as_str).collect(),
            4 => offered.iter().take(3).map(String::as_str).collect(),
            _ => vec![],
        };
        let new = with(new, |settings| {
            settings.scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
            if number % 3 == 0 {
                let ranges = dice.pick(&[
                    "192.0.2.0/24",
                    "192.0.2.1",
                    "0.0.0.0/0",
                    "8000::/1",
                    "10.0.0.0/10",
                    "0.0.0.0/2 64.0.0.0/2 128.0.0.0/2 192.0.0.0/2",
                    "10.0.0.0/8 12.0.0.0/8 14.0.0.0/8",
                ]);
                settings.ip_ranges = ranges
                    .split(' ')
                    .map(|range| range.parse().unwrap())
                    .collect();
            }
        });
        let id = org.create_key(new).await.unwrap().id;
        let at = |days: Option<i64>| {
            days.map_or("NULL".to_owned(), |days| {
                NOON.plus(days * DAY).as_millis().to_string()
            })
        };
        let created = dice.pick(&[0, -6, -7, -89, -90, -200]);
        let last_used = dice.pick(&[None, Some(0), Some(-29), Some(-30), Some(-89), Some(-90)]);
        let expires = dice.pick(&[
            None,
            Some(-1),
            Some(0),
            Some(13),
            Some(14),
            Some(15),
            Some(16),
            Some(400),
        ]);
        let disabled = dice.pick(&[None, None, None, Some(-1)]);
        let revoked = dice.pick(&[None, None, None, Some(-1)]);
        let maker = match dice.pick(&[0, 1, 2]) {
            0 => "NULL".to_owned(),
            1 => format!("'{gone}'"),
            _ => format!("'{here}'"),
        };
        let secret_created = created.max(dice.pick(&[-400, -90, -89, -3]));
        app.database.execute(&format!(
            "UPDATE keys SET created_at = {}, last_used_at = {}, expires_at = {}, disabled_at = {}, revoked_at = {}, \
             created_by = {maker}, environment = '{}', localhost_forbidden = {} WHERE id = '{id}'",
            at(Some(created)), at(last_used), at(expires), at(disabled), at(revoked),
            dice.pick(&["live", "test"]), dice.pick(&["TRUE", "FALSE"]),
        )).await;
        app.database
            .execute(&format!(
                "UPDATE key_secrets SET created_at = {} WHERE key_id = '{id}'",
                at(Some(secret_created))
            ))
            .await;
        if dice.pick(&[true, false]) {
            let seen = at(Some(dice.pick(&[-1, -60, -300])));
            app.database.execute(&format!(
                "INSERT INTO key_findings (org_id, key_id, secret_id, finding, first_at, last_at, count, origin) \
                 SELECT '{}', '{id}', id, 'secret_key_in_browser', {seen}, {seen}, 3, 'https://shop.example' FROM key_secrets \
                 WHERE key_id = '{id}'", org.org.id,
            )).await;
        }
        let refused = dice.pick(&[0, 9, 10, 60]);
        let (day, passed) = (
            NOON.floor(DAY)
                .plus(dice.pick(&[0, -7, -8]) * DAY)
                .as_millis(),
            dice.pick(&["FALSE", "FALSE", "TRUE"]),
        );
        for (host, count) in [("evil.example", refused / 2), ("", refused - refused / 2)] {
            if count > 0 {
                app.database.execute(&format!(
                    "INSERT INTO usage_domains (org_id, subject_id, starts_at, passed, domain, count, now_allowed) \
                     VALUES ('{}', '{id}', {day}, {passed}, '{host}', {count}, {})", org.org.id,
                    if number % 3 == 0 { "TRUE" } else { "FALSE" },
                )).await;
            }
        }
        for scope in &offered[..dice.pick(&[0, 1, 2, 3]).min(offered.len())] {
            app.database
                .execute(&format!(
                    "INSERT INTO usage_subjects (org_id, kind, ref_id, environment, key_kind) \
                 VALUES ('{}', 2, '{id}', '', '') ON CONFLICT DO NOTHING",
                    org.org.id,
                ))
                .await;
            app.database
                .execute(&format!(
                    "INSERT INTO usage_seen (subject, kind, value, count, last_at) \
                 SELECT id, 1, '{scope}', 3, {0} FROM usage_subjects WHERE ref_id = '{id}'",
                    NOON.as_millis(),
                ))
                .await;
        }
        review(app, org, &dice, id).await;
        ids.push(id);
    }
    ids
}

/// Reviews a key at some time, until some time, with some of the codes.
async fn review(app: &TestApp, org: &TestOrg, dice: &Dice, id: KeyId) {
    let codes: Vec<&str> = Code::ALL
        .iter()
        .filter(|_| dice.pick(&[true, false]))
        .map(|code| code.as_str())
        .collect();
    let (at, until) = (dice.pick(&[-100, -89, -3, -2]), dice.pick(&[-1, 0, 1, 30]));
    let verdict = dice.pick(&["keep", "keep", "keep", "rotate"]);
    let superseded = dice.pick(&["NULL", "NULL", "NULL", "1"]);
    let aspect = match verdict {
        "rotate" => dice.pick(&["'leaked'", "NULL"]),
        _ => "NULL",
    };
    let at_day = |days: i64| NOON.plus(days * DAY).as_millis().to_string();
    let done = match dice.pick(&[None, None, Some(-1), Some(0), Some(1)]) {
        Some(days) if verdict == "rotate" => at_day(days),
        _ => "NULL".to_owned(),
    };
    app.database.execute(&format!(
        "INSERT INTO reviews (id, org_id, key_id, verdict, comment, until, at, actor_kind, findings, codes, superseded_at, aspect, done_at) \
         VALUES ('{}', '{}', '{id}', '{verdict}', '', {}, {}, 'user', '[]', ' {} ', {superseded}, {aspect}, {done})",
        id.to_string().replace("key_", "rev_"), org.org.id, at_day(until), at_day(at), codes.join(" "),
    )).await;
}

fn with_findings(keys: &[KeyFindings], is: impl Fn(Code, Severity) -> bool) -> BTreeSet<KeyId> {
    keys.iter()
        .filter(|key| {
            key.findings
                .iter()
                .any(|found| is(found.code, found.severity))
        })
        .map(|key| key.id)
        .collect()
}

async fn filtered(org: &TestOrg, which: Which) -> BTreeSet<KeyId> {
    let query = KeyQuery {
        finding: Some(which),
        page_size: 1_000,
        ..KeyQuery::default()
    };
    let page = latchkey::keys::list::list(&org.engine, &org.permit(), &query)
        .await
        .unwrap();
    assert_eq!(page.matching as usize, page.keys.len());
    page.keys.iter().map(|key| key.id).collect()
}

async fn say_the_same(app: &TestApp, org: &TestOrg, never: &[Code]) {
    let ids = many_keys(app, org, 300).await;
    // No policy forbids anything yet, and only the rotation has a period.
    let of_policies = [Code::TooLongLife, Code::NoIpRanges];
    all_say_the_same(org, &ids, &[never, &of_policies].concat()).await;
    let strict = KeyPolicy {
        rotation_days: Some(30),
        longest_life_days: Some(14),
        scopes_required: true,
        ip_ranges_required: true,
        localhost_forbidden: true,
    };
    set_policy(org, strict).await;
    all_say_the_same(org, &ids, never).await;
    set_policy(
        org,
        KeyPolicy {
            rotation_days: None,
            ..strict
        },
    )
    .await;
    all_say_the_same(org, &ids, &[never, &[Code::RotationDue]].concat()).await;
}

async fn set_policy(org: &TestOrg, policy: KeyPolicy) {
    policies::change(&org.engine, &org.permit(), policy, &Known::Nothing)
        .await
        .unwrap();
}

async fn all_say_the_same(org: &TestOrg, ids: &[KeyId], never: &[Code]) {
    let keys = of_keys(&org.engine, &org.permit(), &org.permit(), ids)
        .await
        .unwrap();
    assert_eq!(keys.len(), ids.len());
    for code in Code::ALL {
        let expected = with_findings(&keys, |found, _| found == *code);
        assert_eq!(expected.is_empty(), never.contains(code), "{code}");
        assert_eq!(
            filtered(org, Which::Of(Some(*code), None)).await,
            expected,
            "{code}"
        );
    }
    for severity in Severity::ALL {
        let expected = with_findings(&keys, |_, found| found == *severity);
        assert_eq!(
            filtered(org, Which::Of(None, Some(*severity))).await,
            expected,
            "{severity}"
        );
    }
    let mut are_reviewed = 0;
    for code in Code::ALL {
        let open = keys.iter().filter(|key| {
            let mut findings = key.findings.iter();
            findings.any(|found| found.code == *code && found.reviewed_until.is_none())
        });
        let open: BTreeSet<KeyId> = open.map(|key| key.id).collect();
        let reviewed = with_findings(&keys, |found, _| found == *code).len() - open.len();
        are_reviewed += usize::from(reviewed > 0);
        assert_eq!(
            filtered(org, Which::Open(Some(*code), None)).await,
            open,
            "{code}"
        );
    }
    assert!(are_reviewed > Code::ALL.len() / 2, "most are also reviewed");
    let attention: BTreeSet<KeyId> = keys
        .iter()
        .filter(|key| key.findings.iter().any(Finding::needs_attention))
        .map(|key| key.id)
        .collect();
    let urgent = with_findings(&keys, |_, severity| severity.needs_attention());
    assert!(attention.len() < urgent.len(), "some are reviewed");
    assert_eq!(filtered(org, Which::Attention).await, attention);
    assert_eq!(
        count_attention(&org.engine, &org.permit()).await.unwrap() as usize,
        attention.len()
    );

    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let query = FindingsQuery {
            after,
            limit: 7,
            ..FindingsQuery::default()
        };
        let page = list(&org.engine, &org.permit(), &org.permit(), &query)
            .await
            .unwrap();
        paged.extend(
            page.found
                .into_iter()
                .map(|found| (found.key_id, found.finding.code)),
        );
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut sorted: Vec<&KeyFindings> = keys.iter().collect();
    sorted.sort_by_key(|key| key.id.to_string());
    let all = sorted
        .iter()
        .flat_map(|key| key.findings.iter().map(|found| (key.id, found.code)));
    assert_eq!(
        paged,
        all.collect::<Vec<_>>(),
        "each finding is on one page"
    );
}

/// The findings of a key about browsers, and whether the list of keys has it.
async fn leaks(org: &TestOrg, id: KeyId) -> (Vec<Finding>, bool) {
    let found = of_keys(&org.engine, &org.permit(), &org.permit(), &[id])
        .await
        .unwrap();
    let found = found.into_iter().flat_map(|key| key.findings);
    let found = found.filter(|finding| finding.code == Code::SeenInBrowser);
    let which = Which::Of(Some(Code::SeenInBrowser), None);
    (found.collect(), filtered(org, which).await.contains(&id))
}

on_both! {
    async fn a_leak_lasts_until_the_secret_that_leaked_no_longer_works(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let admin = org.person("ada", Role::Admin).await;
        let send = async |key: &PlainKey| {
            let request = Request { key: Some(key), origin: Some("https://shop.example"), ..Request::default() };
            app.ask(&request).await;
            flush(&app.engine).await.unwrap();
        };
        send(&made.plain).await;
        app.clock.advance(DAY);
        let rotation = Rotation { overlap: 2 * DAY, token: None };
        let rotated = rotate(&app.engine, &org.permit(), made.id, rotation).await.unwrap();
        let end = app.clock.now().plus(2 * DAY);
        // The page still sends the old secret.
        app.clock.advance(DAY);
        send(&made.plain).await;
        app.clock.advance(DAY - 1);
        let (found, is_listed) = leaks(&org, made.id).await;
        assert_eq!((found[0].evidence.requests, found[0].evidence.works_until, is_listed), (Some(2), Some(end), true), "the old secret works");
        let keep = NewReview { verdict: Verdict::Keep, aspect: None, comment: "A test page".parse().unwrap(), until: None, seen: None, seen_requests: None, creation_token: None };
        let person = Person { user_id: admin, visit: Visit::default() };
        let membership = Membership::find(&app.engine, person, &org.org.slug).await.unwrap();
        let permit = membership.permit().unwrap();
        reviews::create(&app.engine, &permit, &org.permit(), &org.permit(), made.id, keep).await.unwrap();
        let (found, _) = leaks(&org, made.id).await;
        assert!(found[0].reviewed_until.is_some());
        app.clock.advance(1);
        assert_eq!(leaks(&org, made.id).await, (vec![], false), "it no longer works, and the new one was not sent");
        send(&rotated.plain).await;
        let (found, is_listed) = leaks(&org, made.id).await;
        assert_eq!((found[0].evidence.requests, found[0].evidence.works_until, is_listed), (Some(1), None, true), "the new one was sent");
    }

    async fn origins_that_a_key_allows_now_are_no_longer_found(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let send = async |origin: &str, times: usize| {
            for _ in 0..times {
                app.ask(&Request { key: Some(&made.plain), origin: Some(origin), ..Request::default() }).await;
            }
            flush(&app.engine).await.unwrap();
        };
        let edit = async |domains: &[&str]| {
            let domains = Some(domains.iter().map(|domain| domain.parse().unwrap()).collect());
            org.edit(made.id, SettingsChange { domains, ..SettingsChange::default() }).await.unwrap();
        };
        let found = async || {
            let keys = of_keys(&org.engine, &org.permit(), &org.permit(), &[made.id]).await.unwrap();
            let mut findings = keys[0].findings.iter().filter(|finding| finding.code == Code::RefusedOrigins);
            let found = findings.next().map(|finding| (finding.evidence.requests.unwrap(), finding.evidence.origins.clone()));
            let is_listed = filtered(&org, Which::Of(Some(Code::RefusedOrigins), None)).await.contains(&made.id);
            assert_eq!(found.is_some(), is_listed);
            found
        };
        send("https://preview.shop.example:8443", 12).await;
        app.clock.advance(DAY);
        send("https://preview.shop.example:8443", 3).await;
        send("https://mirror.example", 11).await;
        let hosts = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
        assert_eq!(found().await, Some((26, hosts(&["preview.shop.example", "mirror.example"]))));
        edit(&["shop.example", "*.shop.example"]).await;
        assert_eq!(found().await, Some((11, hosts(&["mirror.example"]))));
        edit(&["shop.example", "*.shop.example", "mirror.example"]).await;
        assert_eq!(found().await, None);
        // Another change of the key says nothing about them.
        org.edit(made.id, SettingsChange { localhost_forbidden: Some(true), ..SettingsChange::default() }).await.unwrap();
        assert_eq!(found().await, None);
        edit(&["shop.example", "mirror.example"]).await;
        assert_eq!(found().await, Some((15, hosts(&["preview.shop.example"]))), "it is not allowed any more");
    }

    async fn a_filter_and_a_badge_say_the_same(app: &TestApp) {
        say_the_same(app, &app.org("northwind").await, &[]).await;
        let other = app.org("contoso").await;
        assert!(filtered(&other, Which::Attention).await.is_empty(), "another org has none");
    }
}

#[tokio::test]
async fn they_say_the_same_under_a_convention_without_scopes() {
    let app = TestApp::on_sqlite_under("cencori").await;
    say_the_same(
        &app,
        &app.org("northwind").await,
        &[Code::FullAccess, Code::ScopesUnused],
    )
    .await;
    app.remove().await;
}

#[tokio::test]
async fn they_say_the_same_under_a_convention_with_secret_keys_for_pages() {
    let app = TestApp::on_sqlite_under("agentix").await;
    let of_widgets = [Code::RefusedOrigins, Code::LocalhostLive];
    say_the_same(&app, &app.org("northwind").await, &of_widgets).await;
    app.remove().await;
}
