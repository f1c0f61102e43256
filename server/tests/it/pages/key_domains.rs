//! The allowed domains of a widget key, changed by the island of its page. The plain form is tested in
//! pages/key_page.rs and in the browser tests.

use latchkey::{
    keys::{Key, create::CreatedKey, show},
    role::Role,
    verify::Request,
};
use serde_json::{Value, json};

use crate::test_app::{Browser, TestApp, TestOrg, org::widget_key, said};

/// Changes the domains of a key of `northwind`, and returns the response for the island.
async fn edit(browser: &Browser, key: &CreatedKey, fields: &[(&str, &str)]) -> Value {
    let id = key.id.to_string();
    let fields = [&[("org", "northwind"), ("key", &*id)], fields].concat();
    let answer = browser.call("/api/domains/edit", &fields).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

/// The domains in a response.
fn listed(answer: &Value) -> Vec<&str> {
    let listed = answer["changed"]["domains"]["listed"].as_array().unwrap();
    listed.iter().map(|row| row[0].as_str().unwrap()).collect()
}

async fn stored(app: &TestApp, org: &TestOrg, key: &CreatedKey) -> Vec<String> {
    let key: Option<Key> = show::details(&app.engine, &org.permit(), key.id)
        .await
        .unwrap();
    let domains = key.unwrap().settings.domains;
    domains.iter().map(ToString::to_string).collect()
}

on_both! {
    async fn a_domain_is_added_and_removed_and_the_answer_lists_what_changed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let allowed = async |origin| {
            let request = Request { key: Some(&key.plain), origin: Some(origin), ..Request::default() };
            said(&app.ask(&request).await)
        };
        assert_eq!(allowed("https://new.example").await, "ORIGIN_NOT_ALLOWED");
        let answer = edit(&owner, &key, &[("form[add]", "shop.example, new.example, New.example")]).await;
        assert_eq!(listed(&answer), ["shop.example", "new.example"]);
        assert_eq!((&answer["changed"]["added"], &answer["changed"]["removed"]), (&json!(["new.example"]), &json!([])));
        assert_eq!(allowed("https://new.example").await, "VALID");
        let answer = edit(&owner, &key, &[("form[remove][0]", "new.example"), ("form[remove][1]", "not-there.example")]).await;
        assert_eq!(listed(&answer), ["shop.example"]);
        assert_eq!((&answer["changed"]["added"], &answer["changed"]["removed"]), (&json!([]), &json!(["new.example"])));
        assert_eq!(allowed("https://new.example").await, "ORIGIN_NOT_ALLOWED");
    }

    async fn several_domains_are_removed_and_localhost_is_switched(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["a.example"])).await.unwrap();
        let more: Vec<String> = (0..30).map(|number| format!("{number}.example")).collect();
        let answer = edit(&owner, &key, &[("form[add]", &more.join(","))]).await;
        assert_eq!(listed(&answer).len(), 31);
        let names: Vec<String> = (0..30).map(|place| format!("form[remove][{place}]")).collect();
        let fields: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(more.iter().map(String::as_str)).collect();
        let answer = edit(&owner, &key, &fields).await;
        assert_eq!((listed(&answer), stored(app, &org, &key).await), (vec!["a.example"], vec!["a.example".to_owned()]));
        assert_eq!(answer["changed"]["removed"], json!(more));
        let answer = edit(&owner, &key, &[("form[localhost]", "forbid")]).await;
        assert_eq!(answer["changed"]["domains"]["localhost_forbidden"], true, "{answer}");
        let answer = edit(&owner, &key, &[("form[localhost]", "allow")]).await;
        assert_eq!(answer["changed"]["domains"]["localhost_forbidden"], false, "{answer}");
    }

    async fn a_removed_domain_comes_back_in_its_place_and_the_answer_has_the_history(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["a.example", "b.example", "c.example"])).await.unwrap();
        let removed = edit(&owner, &key, &[("form[remove][0]", "b.example")]).await;
        let history = removed["changed"]["history"].as_str().unwrap().replace("<!>", "").replace("<wbr>", "");
        assert!(history.contains("Changed") && history.contains("b.example"), "{history}");
        let page = owner.get(&format!("/orgs/northwind/keys/{}", key.id)).await.text();
        assert!(page.contains(&history), "as the page has it: {history}");
        let answer = edit(&owner, &key, &[("form[add]", "b.example"), ("form[before]", "c.example")]).await;
        assert_eq!(listed(&answer), ["a.example", "b.example", "c.example"]);
        edit(&owner, &key, &[("form[remove][0]", "a.example")]).await;
        let answer = edit(&owner, &key, &[("form[add]", "a.example"), ("form[before]", "gone.example")]).await;
        assert_eq!(listed(&answer), ["b.example", "c.example", "a.example"], "its place is gone");
    }

    async fn what_is_rejected_is_explained_as_by_the_plain_form(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let secret = org.key("Production").await;
        let long = (0..501).map(|number| format!("{number}.example,")).collect::<String>();
        for (key, (name, value), field, part) in [
            (&key, ("add", "co.uk"), "add", "Anyone can have a site under"),
            (&key, ("add", " "), "add", "Enter a domain to add."),
            (&key, ("add", &*long), "add", ""),
            (&key, ("remove", "shop.example"), "form", "needs at least one domain"),
            (&key, ("remove", "ftp://shop.example"), "form", ""),
            (&secret, ("add", "shop.example"), "form", "Only widget keys"),
        ] {
            let call_name = if name == "remove" { "form[remove][0]".to_owned() } else { format!("form[{name}]") };
            let answer = edit(&owner, key, &[(&call_name, value)]).await;
            let error = &answer["refused"][0];
            let sentence = error["sentence"].as_str().unwrap_or_else(|| panic!("{value}: {answer}"));
            assert!(error["field"] == field && sentence.contains(part), "{value}: {answer}");
            let page = owner.submit(&format!("/orgs/northwind/keys/{}", key.id), &[(name, value)]).await;
            assert!(page.status == 422 && page.text().replace("&amp;", "&").contains(sentence), "{sentence}: {}", page.status);
        }
        assert_eq!(stored(app, &org, &key).await, ["shop.example"]);
    }

    async fn a_revoked_keys_domains_stay(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        owner.change_key(&key.id.to_string(), "revoke").await;
        let answer = edit(&owner, &key, &[("form[add]", "new.example")]).await;
        assert!(answer["refused"][0]["sentence"].as_str().unwrap().contains("is revoked"), "{answer}");
    }

    async fn a_role_that_may_not_edit_domains_is_shown_no_form(app: &TestApp) {
        let org = app.org("northwind").await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let key = org.create_key(widget_key("Shop", &["shop.example"])).await.unwrap();
        let page = admin.get(&format!("/orgs/northwind/keys/{}", key.id)).await.body;
        assert!(page.contains("shop.example") && page.contains("id=\"origin\""), "{page}");
        assert!(!page.contains("id=\"add\"") && !page.contains("name=\"remove\"") && !page.contains("name=\"localhost\""), "{page}");
    }
}
