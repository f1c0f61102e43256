//! What is missing in a form is said by the page, not by the browser.

use latchkey::role::Role;

use crate::test_app::TestApp;

on_both! {
    async fn forms_are_sent_whatever_is_missing_so_that_the_page_can_say_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Production").await.id;
        for path in [
            "/account".to_owned(),
            "/orgs/northwind/keys/new".to_owned(),
            "/orgs/northwind/keys/import".to_owned(),
            format!("/orgs/northwind/keys/{key}"),
            format!("/orgs/northwind/keys/{key}/edit"),
            format!("/orgs/northwind/keys/{key}/rotate"),
            "/orgs/northwind/agents/new".to_owned(),
            "/orgs/northwind/projects".to_owned(),
            "/orgs/northwind/tokens".to_owned(),
            "/orgs/northwind/settings".to_owned(),
        ] {
            let page = owner.get(&path).await.body;
            for form in page.split("<form ").skip(1) {
                let form = form.split("</form>").next().unwrap();
                let tag = form.split('>').next().unwrap();
                let is_checked = form.contains(" required") && !tag.contains("novalidate");
                assert!(!is_checked || !tag.contains("\"post\""), "{path}: {form}");
            }
        }
    }

    async fn an_empty_sign_in_is_told_what_is_missing(app: &TestApp) {
        let stranger = app.browser();
        let fields = [("email", ""), ("password", ""), ("next", "")];
        let answer = stranger.submit("/sign-in", &fields).await;
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("Enter your e-mail address.") && answer.text().contains("Enter your password."), "{}", answer.body);
    }

    async fn errors_in_several_lines_name_the_line(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let fields = [
            ("kind", "widget"), ("environment", "live"), ("name", "Shop"), ("access", "full"), ("expires", "90"),
            ("domains", "shop.example\r\n\r\nnot a domain\r\n"), ("ip_ranges", "10.0.0.0/8\r\n999.1.1.1"),
        ];
        let page = owner.submit("/orgs/northwind/keys/new", &fields).await.text();
        assert!(page.contains("Line 3: ") && page.contains("Line 2: “999.1.1.1”"), "{page}");
    }
}
