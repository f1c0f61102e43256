//! Creating a key with the island of its page: the response shows it once.

use latchkey::{key::text::PlainKey, role::Role};

use crate::test_app::{Browser, HttpAnswer, TestApp, said};

type Field<'a> = (&'a str, &'a str);

/// Sends the island's request for a new key of `northwind`.
async fn create(browser: &Browser, token: &str, fields: &[Field<'_>]) -> HttpAnswer {
    let known = [
        ("org", "northwind"),
        ("form[creation_token]", token),
        ("form[environment]", "live"),
        ("form[expires]", "30"),
    ];
    let answer = browser
        .call("/api/keys/create", &[&known, fields].concat())
        .await;
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    answer
}

async fn token(browser: &Browser) -> String {
    let form = browser.get("/orgs/northwind/keys/new").await;
    form.hidden("creation_token")
}

/// The key in a response.
fn shown(answer: &HttpAnswer) -> PlainKey {
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let html = answer["shown"]["html"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    let (_, key) = html.split_once("<code id=\"key\">").unwrap();
    PlainKey::from_presented(key.split('<').next().unwrap().to_owned())
}

on_both! {
    async fn the_key_is_in_the_answer_with_what_was_chosen(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [
            ("form[name]", "<b>Shop"), ("form[kind]", "widget"), ("form[domains]", "shop.example\n*.shop.example"),
            ("form[scopes][0]", "bots:read"), ("form[scopes][1]", "bots:write"),
        ];
        let answer = create(&owner, &token(&owner).await, &fields).await;
        let key = app.verify(&shown(&answer)).await.key.unwrap();
        assert_eq!((key.settings.domains.len(), key.settings.scopes.len()), (2, 2));
        let page = &answer.json()["shown"];
        assert_eq!((&page["title"], &page["path"]), (&"<b>Shop is ready".into(), &format!("/orgs/northwind/keys/{}", key.id).into()));
        assert!(!page["html"].as_str().unwrap().contains("<b>Shop"), "{page}");
    }

    async fn the_very_same_submit_shows_it_again_by_either_road_and_another_one_does_not(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let token = token(&owner).await;
        let fields = [("form[name]", "Server"), ("form[kind]", "secret"), ("form[access]", "full")];
        let first = shown(&create(&owner, &token, &fields).await);
        assert_eq!(shown(&create(&owner, &token, &fields).await).expose(), first.expose());
        let plain = [("name", "Server"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "30"), ("creation_token", token.as_str())];
        let page = owner.submit("/orgs/northwind/keys/new", &plain).await;
        assert!(page.status == 200 && page.body.contains(first.expose()), "{page:?}");
        let other = create(&owner, &token, &[("form[name]", "Other"), ("form[kind]", "secret"), ("form[access]", "full")]).await.json();
        assert!(other["shown_before"].as_str().unwrap().ends_with("?shown=1"), "{other}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
        assert_eq!(said(&app.verify(&first).await), "VALID");
    }

    async fn what_will_not_do_is_said_of_each_field_and_creates_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let answer = create(&owner, &token(&owner).await, &[("form[kind]", "widget"), ("form[domains]", "com")]).await.json();
        let fields: Vec<&str> = answer["refused"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["name", "domains"], "{answer}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
    }
}
