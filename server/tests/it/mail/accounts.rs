//! What users are told by mail about their accounts.

use latchkey::role::Role;

use crate::test_app::{TestApp, authenticator::turn_on_in, org::PASSWORD};

const DANA: &str = "dana@northwind.example";

on_both! {
    async fn changes_of_a_second_factor_and_used_recovery_codes_are_told(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let browser = mailing.signed_in(DANA, PASSWORD).await;
        let (_, codes) = turn_on_in(app, &browser).await;
        let told = mailing.smtp.mail_to(DANA).await;
        assert_eq!(told.subject(), "A second factor was turned on (localhost)");
        let elsewhere = mailing.browser();
        let half = elsewhere.sign_in(DANA, PASSWORD).await.hidden("half");
        let wrong = [("half", &*half), ("recovery_code", "aaaa-aaaa-aaaa-aaaa")];
        let wrong = elsewhere.submit("/sign-in", &wrong).await;
        assert!(wrong.text().contains("This recovery code is incorrect or was already used. Enter another one."), "{}", wrong.text());
        let code = [("half", &*half), ("recovery_code", &*codes[0])];
        assert_eq!(elsewhere.submit("/sign-in", &code).await.status, 303);
        let keys = elsewhere.get("/orgs/northwind/keys").await.text();
        assert!(keys.contains("You used a recovery code. You have 9 recovery codes left."), "{keys}");
        let told = mailing.smtp.mail_to(DANA).await;
        assert!(told.subject().starts_with("A recovery code was used") && told.text.contains("9 are left."), "{told:?}");
        let renew = [("change", "codes"), ("password", PASSWORD), ("recovery_code", &*codes[1])];
        let renewed = browser.submit("/account/two-factor", &renew).await;
        assert_eq!(renewed.status, 200);
        let new = renewed.body.split_once("class=\"lines\">").map(|(_, codes)| codes[..19].to_owned()).unwrap();
        let off = [("change", "off"), ("password", PASSWORD), ("recovery_code", &*new)];
        assert_eq!(browser.submit("/account/two-factor", &off).await.status, 303);
        let told = mailing.stop().await;
        let mut subjects: Vec<_> = told.iter().map(|mail| mail.subject()).collect();
        // Letters are sent at the same time.
        subjects.sort_unstable();
        assert_eq!(subjects, [
            "A recovery code was used (localhost)", "A recovery code was used (localhost)",
            "Your recovery codes were replaced (localhost)", "Your second factor was turned off (localhost)",
        ]);
    }

    async fn a_deleted_account_is_told_and_so_is_its_user(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("kim", Role::Owner).await;
        org.person("dana", Role::Owner).await;
        let mailing = app.mailing().await;
        let browser = mailing.signed_in(DANA, PASSWORD).await;
        let deleted = browser.submit("/account/delete", &[("password", PASSWORD)]).await;
        assert_eq!(deleted.header("location"), "/sign-in?deleted=1");
        assert!(browser.get("/sign-in?deleted=1").await.text().contains("Your account was deleted."));
        let told = mailing.stop().await;
        assert_eq!(told[0].subject(), "Your account was deleted (localhost)");
    }
}
