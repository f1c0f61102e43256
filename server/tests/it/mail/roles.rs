//! Letters about the gravest rights, and about an organization that requires a second factor.

use latchkey::{operators::mark, role::Role};

use crate::test_app::{TestApp, authenticator::turn_on_in, org::PASSWORD, smtp::Mail};

const MEMBERS: &str = "/orgs/northwind/members";
const SECURITY: &str = "/orgs/northwind/settings/security";
const PEOPLE: &str = "/instance/people";
const DANA: &str = "dana@northwind.example";
const KIM: &str = "kim@northwind.example";
const COMMAND_LINE: latchkey::access::Operator = latchkey::access::Operator::at_the_command_line();

on_both! {
    async fn who_is_made_an_owner_or_an_operator_is_told_and_not_too_often(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Member).await.to_string();
        let olga = org.person("olga", Role::Member).await.to_string();
        app.database.execute("UPDATE users SET email_confirmed = FALSE WHERE name = 'olga'").await;
        app.database.execute("UPDATE users SET name = 'Dana www.evil.example' WHERE name = 'dana'").await;
        mark(&app.engine, &COMMAND_LINE, dana).await.unwrap();
        let mailing = app.mailing().await;
        let browser = mailing.signed_in(DANA, PASSWORD).await;
        let role = async |member: &str, role: &str| {
            let fields = [("change", "role"), ("member", member), ("role", role), ("password", PASSWORD)];
            assert_eq!(browser.submit(MEMBERS, &fields).await.status, 303);
        };
        role(&olga, "owner").await;
        // An admin is not told, and neither is someone whom nobody has changed.
        role(&kim, "admin").await;
        role(&kim, "owner").await;
        let told = mailing.smtp.mail_to(KIM).await;
        assert_eq!(told.subject(), "You are an owner of northwind (localhost)");
        assert!(told.text.contains("made you an owner of northwind") && told.text.contains("http://localhost:3000/orgs/northwind/members"), "{}", told.text);
        assert!(!told.text.contains("www.evil.example"), "a name becomes no link: {}", told.text);
        assert!(told.text.contains("<a href") && told.text.contains("View the members"), "{}", told.text);
        let marked = browser.submit(PEOPLE, &[("change", "mark"), ("person", &kim), ("password", PASSWORD)]).await;
        assert_eq!(marked.status, 303);
        let told = mailing.smtp.mail_to(KIM).await;
        assert_eq!(told.subject(), "You are an operator (localhost)");
        assert!(told.text.contains("http://localhost:3000/instance"), "{}", told.text);
        // Five a day, and a removal is told whatever came before. What is no longer true when it is posted is not told.
        for _ in 0..6 {
            role(&kim, "member").await;
            role(&kim, "owner").await;
        }
        let removed = browser.submit(MEMBERS, &[("change", "remove"), ("member", &kim), ("password", PASSWORD)]).await;
        assert_eq!(removed.status, 303);
        let told = mailing.stop().await;
        assert!(told.len() <= 5 && told.iter().all(|mail| mail.to == KIM), "{told:?}");
        assert!(told.iter().any(|mail| mail.subject() == "You were removed from northwind (localhost)"), "{told:?}");
    }

    async fn who_loses_rights_is_told_and_nobody_else(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Owner).await;
        let lee = org.person("lee", Role::Member).await.to_string();
        let olga = org.person("olga", Role::Admin).await.to_string();
        app.database.execute("UPDATE users SET email_confirmed = FALSE WHERE name = 'olga'").await;
        for person in [dana, kim] {
            mark(&app.engine, &COMMAND_LINE, person).await.unwrap();
        }
        let kim = kim.to_string();
        let mailing = app.mailing().await;
        let browser = mailing.signed_in(DANA, PASSWORD).await;
        let send = async |path: &str, fields: &[(&str, &str)]| {
            let answer = browser.submit(path, &[fields, &[("password", PASSWORD)]].concat()).await;
            assert_eq!(answer.status, 303, "{answer:?}");
        };
        send(MEMBERS, &[("change", "role"), ("member", &olga), ("role", "member")]).await;
        send(MEMBERS, &[("change", "role"), ("member", &lee), ("role", "admin")]).await;
        send(MEMBERS, &[("change", "role"), ("member", &kim), ("role", "admin")]).await;
        let told = mailing.smtp.mail_to(KIM).await;
        assert_eq!(told.subject(), "You are an admin of northwind now (localhost)");
        let in_one_line = |mail: &Mail| mail.text.replace("\r\n", " ");
        assert!(in_one_line(&told).contains("dana made you an admin of northwind. You can do less in it than before. Admins can see everything"), "{}", told.text);
        send(MEMBERS, &[("change", "remove"), ("member", &kim)]).await;
        let told = mailing.smtp.mail_to(KIM).await;
        assert_eq!(told.subject(), "You were removed from northwind (localhost)");
        for part in ["dana removed you from northwind. You can no longer open the organization", "Keys that you created keep working", "ask them, another owner"] {
            assert!(in_one_line(&told).contains(part), "{part}: {}", told.text);
        }
        send(PEOPLE, &[("change", "unmark"), ("person", &kim)]).await;
        let told = mailing.smtp.mail_to(KIM).await;
        assert_eq!(told.subject(), "You are no longer an operator (localhost)");
        // Neither who was promoted, nor an unconfirmed address.
        assert_eq!(mailing.stop().await, [] as [Mail; 0]);
    }

    async fn commands_send_no_letters(app: &TestApp) {
        let org = app.org("northwind").await;
        let kim = org.person("kim", Role::Owner).await;
        let mailing = app.mailing().await;
        mark(&mailing.engine, &COMMAND_LINE, kim).await.unwrap();
        assert_eq!(mailing.stop().await, [] as [Mail; 0]);
    }

    async fn who_lacks_the_required_second_factor_is_not_told_of_the_organization(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let (kim, lee) = (org.person("kim", Role::Member).await.to_string(), org.person("lee", Role::Member).await.to_string());
        let mailing = app.mailing().await;
        let browser = mailing.signed_in(DANA, PASSWORD).await;
        turn_on_in(app, &browser).await;
        mailing.smtp.mail_to(DANA).await;
        let make_owner = async |member: &str| {
            let fields = [("change", "role"), ("member", member), ("role", "owner"), ("password", PASSWORD)];
            assert_eq!(browser.submit(MEMBERS, &fields).await.status, 303);
        };
        make_owner(&lee).await;
        mailing.smtp.mail_to("lee@northwind.example").await;
        app.database.execute("UPDATE orgs SET second_factor_required = TRUE").await;
        make_owner(&kim).await;
        assert_eq!(mailing.stop().await, [] as [Mail; 0]);
    }

    async fn members_without_a_second_factor_are_told_that_it_is_required_now(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["dana", "kim", "lee", "olga", "ari"] {
            org.person(name, Role::Owner).await;
        }
        app.org("contoso").await.person("eve", Role::Owner).await;
        app.database.execute("UPDATE users SET email_confirmed = FALSE WHERE name = 'olga'").await;
        app.database.execute("UPDATE users SET disabled_at = 1 WHERE name = 'ari'").await;
        let mailing = app.mailing().await;
        let browser = mailing.signed_in(DANA, PASSWORD).await;
        turn_on_in(app, &browser).await;
        mailing.smtp.mail_to(DANA).await;
        let set = async |factor: &str| {
            let fields = [("second_factor", factor), ("admins", "review"), ("password", PASSWORD)];
            assert_eq!(browser.submit(SECURITY, &fields).await.status, 303);
        };
        set("require").await;
        for address in [KIM, "lee@northwind.example"] {
            let told = mailing.smtp.mail_to(address).await;
            assert_eq!(told.subject(), "northwind requires a second factor (localhost)");
            assert!(told.text.contains("http://localhost:3000/account/two-factor"), "{}", told.text);
        }
        // Once a day.
        set("optional").await;
        set("require").await;
        assert_eq!(mailing.stop().await, [] as [Mail; 0]);
    }
}
