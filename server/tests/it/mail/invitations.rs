//! Invitations that are sent by mail, and what a confirmed address is needed for.

use latchkey::{accounts::SignUpPolicy, role::Role};
use serde_json::json;

use crate::test_app::{HttpAnswer, TestApp, TestOrg, api::Api, org::PASSWORD};

const DANA: &str = "dana@northwind.example";
const MEMBERS: &str = "/orgs/northwind/members";
const KIM: &str = "kim@example.com";

fn invite(email: &str) -> [(&str, &str); 3] {
    [("change", "invite"), ("email", email), ("role", "member")]
}

on_both! {
    async fn an_invitation_goes_to_its_address_alone_and_confirms_it(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        let page = owner.get(&format!("{MEMBERS}?invite=1")).await;
        assert!(page.text().contains("Send invitation"), "{}", page.text());
        let token = page.hidden("creation_token");
        let fields = [&invite(KIM)[..], &[("creation_token", &token)]].concat();
        for _ in 0..2 {
            let sent = owner.submit(MEMBERS, &fields).await;
            assert_eq!((sent.status.as_u16(), sent.header("location")), (303, MEMBERS));
            assert!(!sent.body.contains("lk_inv_"));
        }
        let page = owner.get(MEMBERS).await.text();
        assert!(page.contains("Invitation sent.") && page.contains("Resend") && !page.contains("lk_inv_"), "{page}");
        let mail = mailing.smtp.mail_to(KIM).await;
        assert!(mail.text.contains("dana invited you to join northwind as a member."), "{}", mail.text);
        let first = mail.link("invitations");
        let id = owner.get(MEMBERS).await.hidden("invitation");
        let renewed = owner.submit(MEMBERS, &[("change", "renew"), ("invitation", &id)]).await;
        assert_eq!(renewed.status, 303);
        let link = mailing.smtp.mail_to(KIM).await.link("invitations");
        let browser = mailing.browser();
        assert_eq!(browser.get(&first).await.status, 410);
        let joined = browser.submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await;
        assert_eq!(joined.status, 303, "{}", joined.text());
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed AND name = 'Kim'").await, 1);
        assert_eq!(mailing.stop().await, [], "the repeated submit sent nothing");
    }

    async fn a_link_that_others_have_seen_confirms_nothing_and_an_unconfirmed_address_matches_nothing(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        northwind.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let api = app.api_on(&mailing.engine).await;
        let (link, mail) = (invite_with(&api, &northwind).await, mailing.smtp.mail_to(KIM).await);
        assert_eq!(mail.link("invitations"), link, "also sent");
        let kim = mailing.browser();
        assert_eq!(kim.submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed AND name = 'Kim'").await, 0);

        let link = invite_with(&api, &contoso).await;
        mailing.smtp.mail_to(KIM).await;
        let refused = kim.submit(&link, &[]).await;
        assert!(refused.status == 422 && refused.text().contains("Confirm your e-mail address"), "{}", refused.text());
        let elsewhere = mailing.browser().submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await;
        assert_eq!(elsewhere.status, 422);
        let members = async || app.database.number("SELECT COUNT(*) FROM memberships WHERE user_id IN (SELECT id FROM users WHERE name = 'Kim')").await;
        assert_eq!(members().await, 1);
        // Once it is confirmed, the same link is accepted.
        kim.submit("/account/profile", &[("change", "confirm")]).await;
        let confirm = mailing.smtp.mail_to(KIM).await.link("confirm-email");
        assert_eq!(kim.submit(&confirm, &[]).await.status, 303);
        assert_eq!(kim.submit(&link, &[]).await.status, 303);
        assert_eq!(members().await, 2);
        mailing.stop().await;
    }

    async fn a_mailed_link_confirms_the_address_of_an_account(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        app.org("contoso").await.person("kim", Role::Owner).await;
        app.database.execute("UPDATE users SET email_confirmed = FALSE WHERE name = 'kim'").await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        owner.submit(MEMBERS, &invite("kim@contoso.example")).await;
        let link = mailing.smtp.mail_to("kim@contoso.example").await.link("invitations");
        let kim = mailing.signed_in("kim@contoso.example", PASSWORD).await;
        assert_eq!(kim.submit(&link, &[]).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed").await, 2);
        mailing.stop().await;
    }

    async fn without_mail_an_unconfirmed_address_blocks_nobody(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let api = app.api().await;
        let kim = app.browser();
        let link = invite_with(&api, &northwind).await;
        assert_eq!(kim.submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_confirmed").await, 0);
        let link = invite_with(&api, &contoso).await;
        assert_eq!(kim.submit(&link, &[]).await.status, 303);
    }

    async fn an_organization_sends_few_letters_to_one_address(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        for _ in 0..5 {
            assert_eq!(owner.submit(MEMBERS, &invite(KIM)).await.status, 303);
        }
        // What is refused for another reason sends nothing, so it does not count.
        for _ in 0..6 {
            assert_eq!(owner.submit(MEMBERS, &invite(DANA)).await.status, 422);
        }
        let throttled: HttpAnswer = owner.submit(MEMBERS, &invite(KIM)).await;
        assert!(throttled.status == 429 && throttled.text().contains("Too many invitations were created."), "{}", throttled.text());
        assert_eq!(owner.submit(MEMBERS, &invite("kit@example.com")).await.status, 303);
        assert_eq!(mailing.stop().await.len(), 6);
    }

    async fn one_person_sends_few_letters_to_one_address_however_many_organizations_they_have(app: &TestApp) {
        let org = app.org("northwind").await;
        let dana = org.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        let mut sent = 0;
        for number in 0..4 {
            let other = app.org(&format!("other-{number}")).await.org;
            let joins = format!("INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('{}', '{dana}', 'owner', 0)", other.id);
            app.database.execute(&joins).await;
            for _ in 0..2 {
                let answer = owner.submit(&format!("/orgs/{}/members", other.slug), &invite(KIM)).await;
                sent += usize::from(answer.status == 303);
            }
        }
        assert_eq!((sent, mailing.stop().await.len()), (5, 5));
    }

    async fn several_people_together_send_few_letters_to_one_address_and_each_can_send_one(app: &TestApp) {
        let mailing = app.mailing().await;
        let mut sent = vec![];
        for (name, slug) in [("dana", "one"), ("eve", "two"), ("kit", "three"), ("lou", "four")] {
            app.org(slug).await.person(name, Role::Owner).await;
            let owner = mailing.signed_in(&format!("{name}@{slug}.example"), PASSWORD).await;
            let mut of_owner = 0;
            for _ in 0..5 {
                of_owner += u8::from(owner.submit(&format!("/orgs/{slug}/members"), &invite(KIM)).await.status == 303);
            }
            sent.push(of_owner);
        }
        assert_eq!((sent, mailing.stop().await.len()), (vec![5, 5, 3, 1], 14));
    }

    async fn strangers_do_not_use_up_the_attempts_of_invited_people(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let mailing = app.mailing_under(SignUpPolicy::Open).await;
        let owner = mailing.signed_in(DANA, PASSWORD).await;
        owner.submit(MEMBERS, &invite(KIM)).await;
        let link = mailing.smtp.mail_to(KIM).await.link("invitations");
        let stranger = mailing.browser();
        for number in 0..11 {
            let email = format!("stranger-{number}@example.com");
            stranger.submit("/sign-up", &[("email", &email), ("name", "S"), ("org_name", "S"), ("password", PASSWORD)]).await;
        }
        let kim = mailing.browser();
        assert_eq!(kim.submit(&link, &[("name", "Kim"), ("password", PASSWORD)]).await.status, 303);
        mailing.stop().await;
    }
}

/// Invites with a token for the whole instance, and returns the link's path.
async fn invite_with(api: &Api, org: &TestOrg) -> String {
    let path = format!("/v1/orgs/{}/invitations", org.org.slug);
    let invited = api
        .post(&path, &json!({"email": KIM, "role": "member"}))
        .await
        .json();
    let url = invited["url"].as_str().unwrap();
    url.strip_prefix("http://localhost:3000")
        .unwrap()
        .to_owned()
}
