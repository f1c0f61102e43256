//! The daily letter about keys.

use latchkey::{
    alerts::post_reminders,
    role::Role,
    time::{DAY, HOUR},
};

use crate::test_app::{
    NOON, TestApp,
    org::{secret_key, with},
};

on_both! {
    async fn reminders_name_keys_and_days_and_lead_to_the_keys(app: &TestApp) {
        let org = app.org("northwind").await;
        org.person("dana", Role::Owner).await;
        let kim = org.person("kim", Role::Admin).await;
        let mailing = app.mailing().await;
        for (name, days) in [("Shop", 100), ("shop.example/login", 101)] {
            let new = with(secret_key(name), |settings| settings.expires_at = Some(NOON.plus(days * DAY)));
            org.create_key(new).await.unwrap();
        }
        let old = org.key("Old server").await;
        app.database.execute(&format!("UPDATE keys SET created_by = '{kim}' WHERE id = '{}'", old.id)).await;
        app.database.execute(&format!("DELETE FROM memberships WHERE user_id = '{kim}'")).await;
        app.clock.advance(90 * DAY + HOUR);
        post_reminders(&mailing.engine).await.unwrap();
        let mail = mailing.smtp.mail_to("dana@northwind.example").await;
        assert_eq!(mail.subject(), "6 reminders about keys in northwind (localhost)");
        let text = mail.text.replace("\r\n", "\n");
        for line in [
            "These keys of northwind need attention:",
            "Shop: expires on Mar 1, 2027, 12:00 UTC.",
            "Old server: the user who created it is no longer a member. If they can have a copy, rotate it.",
            "Shop: due for rotation since Feb 19, 2027 (UTC).",
            "/orgs/northwind/keys",
            "You get this e-mail at most once a day.",
        ] {
            assert!(text.replace('\n', " ").contains(line), "{line}: {text}");
        }
        assert!(!text.contains("shop.example/login"), "a name is no link: {text}");
        assert!(!text.contains("far more requests"), "{text}");
        assert_eq!(mailing.stop().await.len(), 0, "to nobody else");
    }
}
