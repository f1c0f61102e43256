//! Creating a key on its page, which shows it once.

use latchkey::{key::text::PlainKey, role::Role, time::DAY};

use crate::test_app::{HttpAnswer, NOON, TestApp, said};

const NEW: &str = "/orgs/northwind/keys/new";

on_both! {
    async fn a_live_widget_key_blocks_localhost_unless_someone_allows_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = owner.get(NEW).await.body;
        let checked = |name: &str| {
            let input = form.split("<input").find(|input| input.contains(&format!("name=\"{name}\""))).expect(name);
            input.split('>').next().unwrap_or_default().contains(" checked")
        };
        assert!(checked("localhost_live") && !checked("localhost"), "{form}");
        // Browsers send both choices; the one of the environment counts.
        for (environment, sent, expected) in [
            ("live", &[("localhost_live", "forbid")][..], true),
            ("live", &[("localhost", "forbid")], false),
            ("test", &[("localhost_live", "forbid")], false),
            ("test", &[("localhost_live", "forbid"), ("localhost", "forbid")], true),
        ] {
            let fields = [("name", "Shop"), ("kind", "widget"), ("environment", environment), ("domains", "shop.example"), ("scopes", "bots:read"), ("expires", "90")];
            let plain = shown_key(&owner.submit(NEW, &[&fields[..], sent].concat()).await);
            let key = app.verify(&PlainKey::from_presented(plain)).await.key.unwrap().id;
            let key = latchkey::keys::show::details(&app.engine, &org.permit(), key).await.unwrap().unwrap();
            assert_eq!(key.settings.localhost_forbidden, expected, "{environment} {sent:?}");
        }
    }

    async fn the_answer_to_the_form_shows_the_key_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let answer = owner.submit(NEW, &secret_key_fields("Production")).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
        let plain = shown_key(&answer);
        assert_eq!(said(&app.verify(&PlainKey::from_presented(plain.as_str())).await), "VALID");
        let id = app.database.texts("SELECT id FROM keys").await.remove(0);
        for path in ["/orgs/northwind/keys", NEW, &format!("/orgs/northwind/keys/{id}")] {
            let page = owner.get(path).await;
            assert_eq!(page.status, 200);
            assert!(!page.body.contains(&plain), "{path}");
        }
    }

    async fn a_key_is_made_as_the_form_says(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [
            ("name", "  Shop  "), ("kind", "widget"), ("environment", "test"), ("domains", "shop.example,\r\n*.shop.example"),
            ("scopes", "bots:read"), ("scopes", "channels:read"), ("expires", "90"), ("notes", "one\r\ntwo"),
        ];
        let plain = shown_key(&owner.submit(NEW, &fields).await);
        assert!(plain.starts_with("lk_pk_test_"), "{plain}");
        let id = app.verify(&PlainKey::from_presented(plain)).await.key.unwrap().id;
        let key = latchkey::keys::show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        assert_eq!(key.summary.name.as_str(), "Shop");
        assert_eq!(key.summary.lifecycle.expires_at, Some(NOON.plus(90 * DAY)));
        assert_eq!(key.settings.domains.iter().map(ToString::to_string).collect::<Vec<_>>(), ["shop.example", "*.shop.example"]);
        assert_eq!(key.settings.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(), ["bots:read", "channels:read"]);
        assert_eq!(key.settings.notes, "one\ntwo");
        assert_eq!(key.created_by.unwrap().1.as_str(), "dana");
    }

    async fn full_access_is_chosen_and_never_the_default(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = owner.get(NEW).await.text();
        assert!(form.contains("Select at least one scope.") && !form.contains("value=\"full\" checked"), "{form}");
        let fields = [("name", "Shop"), ("kind", "secret"), ("environment", "live"), ("expires", "90"), ("access", "chosen")];
        let refused = owner.submit(NEW, &fields).await;
        assert_eq!(refused.status, 422);
        let page = refused.text();
        let (above, field) = page.split_once("<fieldset id=\"scopes\"").unwrap();
        assert!(above.contains("href=\"#scopes\""), "a link above the form leads to the error: {page}");
        let sentence = field.find("Select what the key can do, or choose full access.");
        assert!(sentence.is_some() && sentence < field.find("name=\"scopes\""), "it is above the scopes: {page}");
        let full = [&fields[..4], &[("access", "full"), ("scopes", "bots:read")]].concat();
        let page = owner.submit(NEW, &full).await;
        let key = PlainKey::from_presented(shown_key(&page));
        let scopes = app.verify(&key).await.key.unwrap().settings.scopes.clone();
        assert!(scopes.is_empty() && page.text().contains("<dd>Full access</dd>"), "{}", page.body);
    }

    async fn what_most_keys_do_not_have_is_folded_until_it_has_a_value_or_an_error(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let is_open = |answer: &HttpAnswer| {
            let fold = answer.body.split("<details").find(|part| part.contains("More options")).unwrap();
            fold.split('>').next().unwrap().contains(" open")
        };
        assert!(!is_open(&owner.get(NEW).await));
        let wrong = [secret_key_fields("Shop").as_slice(), &[("ip_ranges", "10.0.0.5/8")]].concat();
        assert!(is_open(&owner.submit(NEW, &wrong).await));
        let elsewhere = [&secret_key_fields("")[..], &[("metadata", "{}")]].concat();
        assert!(is_open(&owner.submit(NEW, &elsewhere).await), "what was typed stays visible");
        let plain = org.key("Plain").await.id;
        assert!(!is_open(&owner.get(&format!("/orgs/northwind/keys/{plain}/edit")).await));
        app.database.execute("UPDATE keys SET notes = 'For the shop'").await;
        assert!(is_open(&owner.get(&format!("/orgs/northwind/keys/{plain}/edit")).await));
    }

    async fn each_period_is_shown_with_its_end(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = owner.get(NEW).await.text();
        for period in ["In 90 days (Feb 19, 2027)", "In 1 year (Nov 21, 2027)"] {
            assert!(form.contains(period), "{period}: {form}");
        }
        let tokens = owner.get("/orgs/northwind/tokens?new=1").await.text();
        assert!(tokens.contains("In 30 days (Dec 21, 2026)"), "{tokens}");
    }

    async fn each_form_has_a_token_of_its_own(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        assert_ne!(creation_token(&owner.get(NEW).await), creation_token(&owner.get(NEW).await));
    }

    async fn a_refused_form_comes_back_with_what_was_typed_and_what_is_wrong(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [
            ("name", ""), ("kind", "widget"), ("environment", "live"), ("domains", "https://shop.example/path\nco.uk"),
            ("expires", "never"), ("notes", "typed with care"),
        ];
        let answer = owner.submit(NEW, &fields).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        for text in ["Enter a name.", "https://shop.example/path", "typed with care", "aria-invalid=\"true\""] {
            assert!(answer.body.contains(text), "{text}: {}", answer.body);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }

    async fn what_was_typed_is_text_and_never_markup(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let evil = "</title><script>alert(1)</script></textarea></script>\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
        let refused = [
            ("name", evil), ("kind", evil), ("environment", evil), ("domains", evil), ("scopes", evil), ("expires", evil),
            ("expires_on", evil), ("notes", evil), ("creation_token", evil),
        ];
        let name = &evil[..50];
        let answers = [
            owner.submit(NEW, &refused).await,
            owner.submit(NEW, &[secret_key_fields(name).as_slice(), &[("notes", evil)]].concat()).await,
            owner.get("/orgs/northwind/keys").await,
            owner.get(&format!("/orgs/northwind/keys/{}", app.database.texts("SELECT id FROM keys").await[0])).await,
            owner.get("/orgs/northwind/keys?q=%3Cscript%3Ealert(1)%3C/script%3E%22%3E%3Cimg%20src=x%3E").await,
        ];
        for answer in answers {
            assert!(answer.body.contains("alert(1)") || answer.body.contains("&lt;"), "it is shown: {}", answer.body);
            assert!(!answer.body.contains("<script>alert") && !answer.body.contains("<img"), "{}", answer.body);
        }
    }

    async fn fields_that_are_not_in_the_form_change_nothing(app: &TestApp) {
        let (org, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (org_id, id) = (contoso.org.id.to_string(), "key_00000000000000000000000000000000");
        let extra = [("org_id", org_id.as_str()), ("id", id), ("created_by", "usr_1"), ("created_at", "0"), ("digest", "x")];
        let fields = [secret_key_fields("Production").as_slice(), &extra].concat();
        shown_key(&owner.submit(NEW, &fields).await);
        assert_eq!(org.names(Default::default()).await, ["Production"]);
        assert_eq!(contoso.names(Default::default()).await, [""; 0]);
        assert_eq!(app.database.number(&format!("SELECT COUNT(*) FROM keys WHERE id = '{id}'")).await, 0);
    }
}

/// The form of a secret live key that never expires.
pub fn secret_key_fields(name: &str) -> [(&str, &str); 5] {
    [
        ("name", name),
        ("kind", "secret"),
        ("environment", "live"),
        ("access", "full"),
        ("expires", "never"),
    ]
}

/// The key in a response.
pub fn shown_key(answer: &HttpAnswer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let words = answer
        .body
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let keys: Vec<&str> = words
        .filter(|word| word.starts_with("lk_") && word.len() == 43)
        .collect();
    let key = keys
        .first()
        .unwrap_or_else(|| panic!("no key in {}", answer.body));
    assert!(
        keys.iter().all(|other| other == key),
        "one key, not {keys:?}"
    );
    (*key).to_owned()
}

pub fn creation_token(page: &HttpAnswer) -> String {
    let value = page.hidden("creation_token");
    assert!(value.len() >= 16, "{value}");
    value
}
