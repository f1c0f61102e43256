//! Disabling and revoking several keys from the list.

use latchkey::{
    key::{RevokeReason, settings::SettingsChange},
    keys::change_state::revoke,
    role::Role,
    usage::flush::flush,
};

use crate::test_app::{TestApp, said};

const LIST: &str = "/orgs/northwind/keys";

on_both! {
    async fn chosen_keys_are_disabled_and_revoked_after_a_question(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (one, two, three) = (org.key("One").await, org.key("Two").await, org.key("Three").await);
        let ids = [one.id.to_string(), two.id.to_string(), three.id.to_string()];
        let page = owner.get(LIST).await.text();
        assert!(ids.iter().all(|id| page.contains(&format!("value=\"{id}\""))), "{page}");

        let fields = [("keys", &*ids[0]), ("keys", &*ids[1]), ("change", "disable")];
        let asked = owner.submit(LIST, &fields).await;
        assert!(asked.text().contains("Disable 2 keys?") && !asked.text().contains("name=\"reason\""), "{}", asked.body);
        assert_eq!(said(&app.verify(&one.plain).await), "VALID", "only the confirmation was shown");
        let fields = [fields.as_slice(), &[("answered", "yes")]].concat();
        let done = owner.submit(LIST, &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, LIST));
        assert!(owner.get(LIST).await.text().contains("2 keys disabled."));
        assert_eq!(said(&app.verify(&one.plain).await), "INVALID_API_KEY disabled");
        assert_eq!(said(&app.verify(&three.plain).await), "VALID");
        let again = owner.submit(LIST, &fields).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, LIST), "submitted twice");
        let four = org.key("Four").await.id.to_string();
        let fields = [("keys", &*ids[0]), ("keys", &*four), ("change", "disable"), ("answered", "yes")];
        let some = owner.submit(LIST, &fields).await;
        assert!(some.status == 200 && some.text().contains("One is disabled"), "{}", some.body);

        let asked = owner.submit(LIST, &[("keys", &*ids[0]), ("keys", &*ids[2]), ("change", "revoke")]).await;
        assert!(asked.text().contains("Revoke 2 keys") && asked.text().contains("name=\"reason\""), "{}", asked.body);
        assert_eq!(said(&app.verify(&three.plain).await), "VALID", "only the confirmation was shown");
        let fields = [("keys", &*ids[0]), ("keys", &*ids[2]), ("change", "revoke"), ("answered", "yes"), ("reason", "")];
        let asked = owner.submit(LIST, &fields).await;
        assert!(asked.text().contains("Choose a reason"), "{}", asked.body);
        assert_eq!(said(&app.verify(&three.plain).await), "VALID", "no reason was selected");
        let fields = [&fields[..4], &[("reason", "superseded")]].concat();
        let filtered = format!("{LIST}?status=active");
        let done = owner.submit(&filtered, &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, &*filtered), "the list is unchanged");
        assert!(owner.get(LIST).await.text().contains("2 keys revoked."));
        assert_eq!(said(&app.verify(&three.plain).await), "INVALID_API_KEY revoked");
        assert_eq!(org.summary(one.id).await.revoke_reason.unwrap().as_str(), "superseded");
    }

    async fn a_key_is_disabled_and_enabled_from_its_menu(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("One").await;
        let id = key.id.to_string();
        for (change, says, sentence) in [
            ("disable", "INVALID_API_KEY disabled", "” disabled."),
            ("enable", "VALID", "” enabled."),
        ] {
            assert!(owner.get(LIST).await.body.contains(&format!("value=\"{change}\"")), "{change}");
            let done = owner.submit(LIST, &[("keys", &*id), ("answered", "yes"), ("change", change)]).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, &*format!("{LIST}#{id}")));
            assert_eq!(said(&app.verify(&key.plain).await), says);
            assert!(owner.get(LIST).await.text().contains(sentence), "{sentence}");
        }
    }

    async fn all_matches_are_changed_by_their_filter(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for number in 0..59 {
            org.key(&format!("Batch {number:02}")).await;
        }
        let leaves = org.key("Batch leaves").await.id;
        let other = org.key("Other").await;
        let gone = org.key("Batch gone").await;
        revoke(&app.engine, &org.permit(), gone.id, RevokeReason::Other).await.unwrap();
        let filtered = format!("{LIST}?q=batch");
        assert!(owner.get(&filtered).await.text().contains("Select all 61 matches"));
        let asked = owner.submit(&filtered, &[("all", "yes"), ("change", "disable")]).await;
        let text = asked.text();
        assert!(text.contains("Disable 60 keys?") && text.contains("1 selected key will not change:") && text.contains("Batch gone is revoked"), "{text}");
        let confirmed = asked.hidden("expected");
        for (id, name) in [(other.id, "Batch other"), (leaves, "Leaves")] {
            let change = SettingsChange { name: Some(name.parse().unwrap()), ..SettingsChange::default() };
            org.edit(id, change).await.unwrap();
        }
        let fields = [("all", "yes"), ("expected", &*confirmed), ("answered", "yes"), ("change", "disable")];
        let again = owner.submit(&filtered, &fields).await;
        assert!(again.text().contains("Disable 60 keys?"), "other keys match now, so the question is asked again");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE disabled_at IS NOT NULL").await, 0);
        let confirmed = again.hidden("expected");
        let fields = [("all", "yes"), ("expected", &*confirmed), ("answered", "yes"), ("change", "disable")];
        let done = owner.submit(&filtered, &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, &*filtered));
        let text = owner.get(&filtered).await.text();
        assert!(text.contains("60 keys disabled.") && text.contains(">Undo<"), "{text}");
        let toast = text.split("class=\"toasts\"").nth(1).unwrap();
        let ids: Vec<&str> = toast.split("name=\"keys\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(ids.len(), 60);
        let mut fields: Vec<(&str, &str)> = ids.into_iter().map(|id| ("keys", id)).collect();
        fields.extend([("answered", "yes"), ("change", "enable")]);
        owner.submit(&filtered, &fields).await;
        assert!(owner.get(&filtered).await.text().contains("60 keys enabled."));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE disabled_at IS NOT NULL").await, 0);
    }

    async fn revoking_keys_in_use_asks_for_their_number_or_the_name(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (busy, idle) = (org.key("Busy").await, org.key("Idle").await);
        assert_eq!(said(&app.verify(&busy.plain).await), "VALID");
        flush(&app.engine).await.unwrap();
        let ids = [busy.id.to_string(), idle.id.to_string()];
        let both = [("keys", &*ids[0]), ("keys", &*ids[1]), ("change", "revoke"), ("reason", "unused"), ("answered", "yes")];
        let one = [both[0], both[2], both[3], both[4]];
        for fields in [&both[..], &one[..], &[&one[..], &[("confirm", "busy")]].concat()] {
            let asked = owner.submit(LIST, fields).await.text();
            assert!(asked.contains("used in the last 24 hours") && asked.contains(" to revoke keys that are in use."), "{asked}");
            assert!(asked.contains("value=\"unused\" selected"), "{asked}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE revoked_at IS NOT NULL").await, 0);
        let done = owner.submit(LIST, &[&both[..], &[("confirm", " 2 ")]].concat()).await;
        assert_eq!(done.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE revoked_at IS NOT NULL").await, 2);
    }

    async fn revoking_without_a_reason_asks_for_one_at_its_field(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Idle").await.id.to_string();
        let fields = [("keys", &*id), ("change", "revoke"), ("reason", "")];
        assert!(!owner.submit(LIST, &fields).await.text().contains("Choose a reason."), "a question that was not answered yet");
        let asked = owner.submit(LIST, &[&fields[..], &[("answered", "yes")]].concat()).await.text();
        assert!(asked.contains("Choose a reason.") && asked.contains("aria-describedby=\"reason-error\""), "{asked}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys WHERE revoked_at IS NOT NULL").await, 0);
    }

    async fn what_was_selected_stays_selected(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (one, two) = (org.key("One").await.id.to_string(), org.key("Two").await.id.to_string());
        let picked = |page: &str, id: &str| page.split("<input").any(|input| input.contains(&format!("value=\"{id}\"")) && input.contains("checkbox") && input.contains(" checked"));
        let asked = owner.submit(LIST, &[("keys", &*one), ("change", "disable")]).await.text();
        assert!(picked(&asked, &one) && !picked(&asked, &two));
        assert!(!asked.contains("class=\"bar bulk\""), "no second button while the question is open");
        let canceled = owner.submit(LIST, &[("keys", &*one), ("answered", "yes"), ("cancel", "yes")]).await.text();
        assert!(picked(&canceled, &one) && !picked(&canceled, &two) && canceled.contains("class=\"bar bulk\""));
    }

    async fn nothing_chosen_or_nothing_to_do_is_said(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("One").await.id.to_string();
        for (fields, sentence) in [
            (vec![("change", "disable")], "Select at least one key."),
            (vec![("keys", &*id)], "Select an action."),
            (vec![("keys", &*id), ("change", "explode")], "Select an action."),
        ] {
            let answer = owner.submit(LIST, &fields).await;
            assert!(answer.status == 422 && answer.text().contains(sentence), "{fields:?}: {}", answer.body);
        }
        let theirs = app.org("contoso").await.key("Theirs").await;
        let answer = owner.submit(LIST, &[("keys", &theirs.id.to_string()), ("change", "disable"), ("answered", "yes")]).await;
        assert!(answer.text().contains("Unknown key") && !answer.text().contains("Theirs"), "{}", answer.body);
        assert_eq!(said(&app.verify(&theirs.plain).await), "VALID");
    }

    async fn who_may_change_no_keys_is_offered_no_boxes(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("One").await;
        for (name, role) in [("ari", Role::Admin), ("ben", Role::Member)] {
            let page = app.signed_in(&org, name, role).await.get(LIST).await.text();
            assert!(page.contains("One") && !page.contains("name=\"keys\"") && !page.contains("/import"), "{page}");
        }
    }
}
