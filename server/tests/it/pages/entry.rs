//! Sign-up, sign-in and the first account.

use latchkey::{accounts::SignUpPolicy, role::Role};

use crate::test_app::{Browser, TestApp, org::PASSWORD};

on_both! {
    async fn the_root_leads_to_where_one_begins(app: &TestApp) {
        assert_eq!(app.browser().get("/").await.header("location"), "/sign-up");
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Member).await;
        assert_eq!(app.browser().get("/").await.header("location"), "/sign-in");
        assert_eq!(dana.get("/").await.header("location"), "/orgs/northwind/keys");
        app.database.execute("DELETE FROM memberships").await;
        assert_eq!(dana.get("/").await.header("location"), "/account");
    }

    async fn after_the_first_account_the_sign_up_page_says_that_it_is_closed(app: &TestApp) {
        assert!(app.browser().get("/sign-up").await.body.contains("name=\"org_name\""));
        app.org("northwind").await.person("dana", Role::Owner).await;
        let page = app.browser().get("/sign-up").await;
        assert!(!page.body.contains("name=\"org_name\""), "{}", page.body);
        assert!(!app.browser().get("/sign-in").await.body.contains("/sign-up"));
    }

    async fn the_setup_link_fills_in_its_code_and_changes_nothing(app: &TestApp) {
        let (browser, code) = (app.browser(), app.setup_code());
        let typed = browser.get("/sign-up").await.text();
        assert!(typed.contains("<label for=\"code\">Setup code</label>"), "{typed}");
        let linked = browser.get(&format!("/sign-up?code={code}")).await;
        assert_eq!(linked.hidden("code"), code);
        assert!(!linked.body.contains("Setup code"), "{}", linked.body);
        assert_eq!(linked.set_cookies(), [""; 0], "the browser has its mark from the page before");

        let sign_up = async |name: &str, code: &str| {
            let fields = [("name", name), ("email", "n@example.com"), ("org_name", "O"), ("password", PASSWORD), ("code", code)];
            browser.submit("/sign-up", &fields).await
        };
        let misspelt = sign_up("", &code).await;
        assert_eq!(misspelt.hidden("code"), code, "valid values are kept");
        for wrong in ["", "wrong", &code[1..], &format!("{code}A")] {
            let refused = sign_up("N", wrong).await;
            assert_eq!(refused.status, 422, "{}", refused.body);
            assert!(refused.body.contains("id=\"code-error\"") && refused.text().contains(">Setup code<"), "{}", refused.body);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 0);
        assert_eq!(sign_up("N", &format!(" {code} ")).await.status, 303);
        assert_eq!(app.browser().submit("/sign-up", &[("name", "N"), ("email", "m@example.com"), ("org_name", "O"),
            ("password", PASSWORD), ("code", &code)]).await.status, 422, "the first account used it up");
    }

    async fn where_sign_up_is_open_everyone_finds_the_form(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let engine = app.another_engine(|settings| settings.sign_up = SignUpPolicy::Open).await;
        let state = latchkey_server::AppState { engine, ..app.state(&[]) };
        let browser = Browser::new(latchkey_server::router(state), "http://localhost:3000");
        assert!(!browser.get("/sign-up?code=a").await.body.contains("name=\"code\""), "only the first account needs it");
        assert!(browser.get("/sign-up").await.body.contains("name=\"org_name\""));
        assert!(browser.get("/sign-in").await.body.contains("/sign-up"));
    }

    async fn who_is_sent_to_the_sign_in_comes_back(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let browser = app.browser();
        let sent_away = browser.get("/orgs/northwind/keys?status=active").await;
        let location = sent_away.header("location").to_owned();
        assert!(location.starts_with("/sign-in?next="), "{location}");
        let page = browser.get(&location).await.body;
        assert!(page.contains("value=\"/orgs/northwind/keys?status=active\""), "{page}");
    }

    async fn the_first_empty_field_has_the_focus_unless_there_is_something_to_read_first(app: &TestApp) {
        let browser = app.browser();
        let setup = browser.get("/sign-up").await.body;
        assert_eq!(focused(&setup), ["code"]);
        assert_eq!(focused(&browser.get("/sign-up?code=lk_setup").await.body), ["name"]);
        app.org("northwind").await.person("dana", Role::Owner).await;
        let sign_in = browser.get("/sign-in").await.body;
        assert_eq!(focused(&sign_in), ["email"]);
        assert!(sign_in.contains("data-shows=\"password\""), "{sign_in}");
        assert_eq!(focused(&browser.get("/sign-in?ended=1").await.body), [""; 0]);
        assert_eq!(focused(&browser.get("/sign-in?reset=1").await.body), [""; 0]);
    }

    async fn whose_session_has_ended_is_told_that_the_form_did_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        app.signed_in(&org, "dana", Role::Owner).await;
        let browser = app.browser();
        let key = [("name", "Server"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        let project = [("change", "create"), ("name", "Shop")];
        for (path, fields) in [("/orgs/northwind/keys/new", &key[..]), ("/orgs/northwind/projects", &project)] {
            let sent_away = browser.submit(path, fields).await;
            let page = browser.get(sent_away.header("location")).await.body;
            assert!(page.contains("Your session has ended"), "{path}: {page}");
        }
        let first_visit = browser.get(browser.get("/orgs/northwind/keys").await.header("location")).await.body;
        assert!(!first_visit.contains("Your session has ended"), "{first_visit}");
    }

    async fn who_is_signed_in_needs_no_door(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = app.signed_in(&org, "dana", Role::Owner).await;
        for door in ["/sign-in", "/sign-up"] {
            assert_eq!(dana.get(door).await.header("location"), "/", "{door}");
        }
    }

    async fn too_large_a_form_is_answered_by_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let domains = "ü".repeat(20_000);
        let fields = [("name", "Shop"), ("kind", "widget"), ("environment", "live"), ("access", "full"), ("expires", "never"), ("domains", domains.as_str())];
        assert_eq!(owner.submit("/orgs/northwind/keys/new", &fields).await.status, 422, "the field's maximum length");
        let notes = "x".repeat(600_000);
        for (path, fields) in [
            ("/orgs/northwind/keys/new", vec![("notes", notes.as_str())]),
            ("/orgs/northwind/projects", vec![("change", "create"), ("name", &notes)]),
        ] {
            let answer = owner.submit(path, &fields).await;
            assert!(answer.status == 413 && answer.body.contains("<h1>Too large</h1>"), "{path}: {answer:?}");
        }
    }

    async fn a_refused_sign_up_says_what_is_wrong_and_makes_nothing(app: &TestApp) {
        for (fields, field, sentence) in [
            ([("name", ""), ("email", "a@example.com"), ("org_name", "O"), ("password", PASSWORD)], "name", "Enter your name."),
            ([("name", "N"), ("email", "nowhere"), ("org_name", "O"), ("password", PASSWORD)], "email", "Enter an e-mail address"),
            ([("name", "N"), ("email", "a@example.com"), ("org_name", " "), ("password", PASSWORD)], "org_name", "Enter an organization name."),
            ([("name", "N"), ("email", "a@example.com"), ("org_name", "O"), ("password", "password1")], "password", "too common"),
        ] {
            let code = app.setup_code();
            let answer = app.browser().submit("/sign-up", &[&fields[..], &[("code", code.as_str())]].concat()).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert!(answer.body.contains(&format!("id=\"{field}-error\"")), "{field}: {}", answer.body);
            assert!(answer.body.contains(sentence), "{field}: {}", answer.body);
            assert_eq!(answer.body.matches("aria-invalid").count(), 1, "{}", answer.body);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 0);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM orgs").await, 0);
    }

    async fn a_form_without_javascript_comes_back_with_what_was_typed_but_the_password(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let browser = app.browser();
        let fields = [("email", "dana@northwind.example"), ("password", "wrong marmalade"), ("next", "/account")];
        let page = browser.submit("/sign-in", &fields).await;
        assert_eq!(page.status, 422, "{page:?}");
        assert!(page.body.contains("The e-mail address or password is incorrect."), "{}", page.body);
        assert!(page.body.contains(fields[0].1) && page.body.contains("value=\"/account\""), "{}", page.body);
        assert!(!page.body.contains("marmalade"), "{}", page.body);
        assert_eq!(page.set_cookies(), [""; 0]);
    }
}

/// The names of the fields that have the focus when the page opens.
fn focused(page: &str) -> Vec<&str> {
    let inputs = page.split("<input ").skip(1);
    let inputs = inputs.filter_map(|rest| rest.split('>').next());
    inputs
        .filter(|input| input.contains("autofocus"))
        .filter_map(|input| input.split_once("name=\"")?.1.split('"').next())
        .collect()
}
