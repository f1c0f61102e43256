//! Heavy use of one org delays another only briefly. `cargo xtask bench abuse` measures by how much.

use std::{sync::Arc, time::Duration};

use latchkey::{
    access::{Membership, OrgToken},
    caller::{Person, Visit},
    clock::Clock,
    key::text::PlainKey,
    keys::import::{self, Format},
    limits::Limits,
    members,
    role::Role,
    service_tokens::{self, NewToken, TokenScope},
};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, widget_key},
    said,
};

/// Longer than any request here takes, but shorter than the request timeout.
const SOON: Duration = Duration::from_secs(20);

on_both! {
    async fn an_org_at_its_limits_keeps_no_other_from_its_work(app: &TestApp) {
        let (large, small) = (app.org("northwind").await, app.org("contoso").await);
        fill(&large).await;
        let theirs = small.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let member = app.signed_in(&small, "eve", Role::Owner).await;
        let running: Vec<_> = (0..2).map(|number| {
            let (engine, permit) = (Arc::clone(&app.engine), large.permit());
            tokio::spawn(async move { import::import(&engine, &permit, Format::Csv, &file(number, 9_000), true).await })
        }).collect();
        let uploads = [begin_upload(app, &large), begin_upload(app, &large)];

        let work = async {
            let report = import::import(&app.engine, &small.permit(), Format::Csv, &file(7, 10), false).await.unwrap();
            assert!(report.imported, "{report:?}");
            assert_eq!(said(&app.verify(&imported(7, 3)).await), "VALID");
            assert_eq!(app.preflight("/v1/verify", "https://shop.example").await.status, 204);
            assert_eq!(app.preflight("/v1/verify", "https://evil.example").await.status, 403);
            assert_eq!(member.get("/orgs/contoso/keys").await.status, 200);
            let fields = [("format", "csv"), ("text", &*file(8, 10)), ("go", "import")];
            assert_eq!(member.submit("/orgs/contoso/keys/import", &fields).await.status, 200);
            assert_eq!(said(&app.verify(&imported(8, 3)).await), "VALID");
            let answer = app.ask(&latchkey::verify::Request {
                key: Some(&theirs.plain), origin: Some("https://shop.example"), ..latchkey::verify::Request::default()
            }).await;
            assert_eq!(said(&answer), "VALID");
        };
        timeout(SOON, work).await.expect("the other org's work is done soon");
        drop(uploads);
        for import in running {
            import.await.unwrap().unwrap();
        }
    }

    async fn files_that_never_arrive_keep_no_others_out(app: &TestApp) {
        let mut uploads = vec![];
        for number in 0..40 {
            let org = app.org(&format!("org-{number}")).await;
            uploads.extend([begin_upload(app, &org), begin_upload(app, &org)]);
            assert!(import::begin(&app.engine, &org.permit()).is_err(), "an org has two");
        }
        let org = app.org("contoso").await;
        let report = import::import(&app.engine, &org.permit(), Format::Csv, &file(1, 10), false).await.unwrap();
        assert!(report.imported);
    }

    async fn who_created_a_token_counts_with_it_only_while_they_are_a_member(app: &TestApp) {
        let org = app.org("northwind").await;
        let (eve, _) = (org.person("eve", Role::Owner).await, org.person("dana", Role::Owner).await);
        let person = || Person { user_id: eve, visit: Visit::default() };
        let permit = async |org: &TestOrg| Membership::find(&app.engine, person(), &org.org.slug).await.unwrap().permit().unwrap();
        let membership = Membership::find(&app.engine, person(), &org.org.slug).await.unwrap();
        let new = NewToken { name: "API".parse().unwrap(), scope: TokenScope::Manage, expires_at: None, creation_token: None };
        let token = service_tokens::create_for_org(&app.engine, &membership.permit().unwrap(), new).await.unwrap().plain;
        let mut uploads = vec![];
        for slug in ["contoso", "fabrikam"] {
            let own = app.org(slug).await;
            let join = format!("INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{eve}', 'owner', 0)", own.org.id);
            app.database.execute(&join).await;
            let permit = permit(&own).await;
            uploads.extend([import::begin(&app.engine, &permit).unwrap(), import::begin(&app.engine, &permit).unwrap()]);
        }
        let is_refused = async || {
            let token = service_tokens::recognise(&app.engine, &token).await.unwrap().unwrap();
            let own = OrgToken::find(&app.engine, &token, Visit::default()).await.unwrap().unwrap();
            import::begin(&app.engine, &own.permit().unwrap()).is_err()
        };
        assert!(is_refused().await, "a person has four uploads");
        members::remove(&app.engine, &org.permit(), eve).await.unwrap();
        assert!(!is_refused().await);
    }

    async fn what_one_org_imports_has_no_other_mistyped_key_looked_up(app: &TestApp) {
        let (large, small) = (app.org("northwind").await, app.org("contoso").await);
        let report = import::import(&app.engine, &large.permit(), Format::Csv, &file(1, 10), false).await.unwrap();
        assert!(report.imported);
        let theirs = small.key("Theirs").await.plain;
        let last = if theirs.expose().ends_with('0') { '1' } else { '0' };
        let mistyped = PlainKey::from_presented(format!("{}{last}", &theirs.expose()[..theirs.expose().len() - 1]));
        let elsewhere = app.another_engine(|_| {}).await;
        latchkey::imports::refresh(&elsewhere).await.unwrap();
        elsewhere.db().close().await;
        app.engine.db().close().await;
        for engine in [&app.engine, &elsewhere] {
            let request = latchkey::verify::Request { key: Some(&mistyped), ..latchkey::verify::Request::default() };
            let answer = latchkey::verify::verify(engine, &request).await;
            assert_eq!(said(&answer.unwrap()), "INVALID_API_KEY malformed", "without the database");
        }
    }

    async fn a_large_import_delays_the_changes_of_another_org_only_briefly(app: &TestApp) {
        let (large, small) = (app.org("northwind").await, app.org("contoso").await);
        let (engine, permit, text) = (Arc::clone(&app.engine), large.permit(), file(1, import::MAX_ENTRIES));
        let (clock, mut longest) = (Clock::System, 0);
        let begun = clock.monotonic();
        let mut importing = tokio::spawn(async move {
            import::import(&engine, &permit, Format::Csv, &text, false).await
        });
        let report = loop {
            let asked = clock.monotonic();
            small.key("Theirs").await;
            longest = longest.max(clock.monotonic().since(asked));
            if let Ok(report) = timeout(Duration::from_millis(5), &mut importing).await {
                break report.unwrap().unwrap();
            }
        };
        let took = clock.monotonic().since(begun);
        println!("imported in {took} ms; another org waited {longest} ms at most");
        assert!(report.imported, "{report:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets WHERE imported").await, 10_000);
        for number in [0, 249, 250, 9_999] {
            assert_eq!(said(&app.verify(&imported(1, number)).await), "VALID", "{number}");
        }
        latchkey::audit::verify(&app.engine, None).await.unwrap();
        // About a second on an idle machine.
        assert!(longest < 5_000, "{longest} ms");
    }

    async fn a_preflight_of_one_org_does_not_wait_for_what_another_changed(app: &TestApp) {
        let (large, small) = (app.org("northwind").await, app.org("contoso").await);
        small.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let shop = large.create_key(widget_key("Shop", &["other.example"])).await.unwrap();
        let status = async |origin| app.preflight("/v1/verify", origin).await.status.as_u16();
        assert_eq!((status("https://shop.example").await, status("https://other.example").await), (204, 204));
        latchkey::keys::change_state::disable(&app.engine, &large.permit(), shop.id).await.unwrap();
        app.engine.db().close().await;
        assert_eq!(status("https://shop.example").await, 204, "decided by what did not change");
    }
}

/// Creates as many domains, agents and projects as a tenth of the default limits.
async fn fill(org: &TestOrg) {
    let limits = Limits::default();
    for number in 0..4 {
        let domains: Vec<String> = (0..500)
            .map(|domain| format!("large{number}-{domain}.example"))
            .collect();
        let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
        let settings = agent(&format!("Bot {number}"), &domains);
        latchkey::agents::create::create(&org.engine, &org.permit(), &settings)
            .await
            .unwrap();
    }
    for number in 0..limits.projects / 10 {
        let name = format!("Shop {number}").parse().unwrap();
        latchkey::projects::create(&org.engine, &org.permit(), &name)
            .await
            .unwrap();
    }
}

/// A stalled upload.
fn begin_upload(
    app: &TestApp,
    org: &TestOrg,
) -> latchkey::arrivals::Arrival<latchkey::party::Party> {
    let mut arrival = import::begin(&app.engine, &org.permit()).unwrap();
    arrival.grow(1_000).unwrap();
    arrival
}

fn imported(file: usize, number: usize) -> PlainKey {
    PlainKey::from_presented(format!("made-elsewhere-{file}-{number}"))
}

fn file(file: usize, keys: usize) -> String {
    let mut text = "name,sha256\n".to_owned();
    for number in 0..keys {
        let sha256: String = Sha256::digest(imported(file, number).expose())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text += &format!("Key {number},{sha256}\n");
    }
    text
}
