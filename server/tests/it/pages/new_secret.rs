//! The rotation of a key that a member asked for: the owner chooses who gets the new secret, and the member reveals it.

use latchkey::{
    key::text::PlainKey,
    role::Role,
    time::{DAY, HOUR, SECOND},
};

use super::new_key::shown_key;
use crate::test_app::{Browser, TestApp, TestOrg, org::PASSWORD, said};

const CHOICE: &str = "Who gets the new secret";
const REVEAL: &str = "Reveal the new secret";

/// A member, the path of their key, that of the request for it, and its secret.
async fn revealed(app: &TestApp, org: &TestOrg, owner: &Browser) -> (Browser, String, String, PlainKey) {
    let member = app.signed_in(org, "kim", Role::Member).await;
    let fields = [
        ("name", "Reports"),
        ("purpose", "Tests"),
        ("kind", "secret"),
        ("environment", "live"),
        ("access", "full"),
        ("expires", "90"),
    ];
    let asked = member.submit("/orgs/northwind/requests/new", &fields).await;
    let request = asked.header("location").to_owned();
    let approve = [("change", "approve"), ("version", "0"), ("comment", "")];
    assert_eq!(owner.submit(&request, &approve).await.status, 303);
    let plain = shown_key(&member.submit(&request, &[("change", "reveal")]).await);
    let id = app.database.texts("SELECT id FROM keys").await.remove(0);
    app.clock.advance(2 * SECOND);
    let path = format!("/orgs/northwind/keys/{id}");
    (member, path, request, PlainKey::from_presented(plain))
}

/// Lets the member reveal the new secret, as the form of the owner's page does.
async fn offer(owner: &Browser, path: &str, overlap: &str) {
    let form = owner.get(&format!("{path}/rotate")).await;
    let (token, base) = (form.hidden("rotation_token"), form.hidden("base"));
    let fields = [
        ("overlap", overlap),
        ("gets", "member"),
        ("rotation_token", &*token),
        ("base", &*base),
    ];
    let answer = owner.submit(&format!("{path}/rotate"), &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, path), "{}", answer.text());
}

on_both! {
    async fn an_owner_lets_the_member_reveal_the_new_secret(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (member, path, request, old) = revealed(app, &org, &owner).await;
        let form = owner.get(&format!("{path}/rotate")).await.text();
        for text in [CHOICE, "<b>kim</b>", "name=\"gets\" value=\"you\" checked", "nothing changes and the current secret works", "kim asked for this key"] {
            assert!(form.contains(text), "{text}: {form}");
        }
        assert!(!form.contains("The leaked secret works") && !form.contains("value=\"member\" checked"), "{form}");
        // Of a key that was found by its secret, the user is still chosen, and the form says what that means.
        let found = owner.get(&format!("{path}/rotate?found=1")).await.text();
        assert!(found.contains("The leaked secret works until kim reveals it.") && found.contains("value=\"you\" checked"), "{found}");
        let own = org.key("Production").await.id;
        let without = owner.get(&format!("/orgs/northwind/keys/{own}/rotate")).await.text();
        assert!(!without.contains(CHOICE), "nobody asked for that key: {without}");
        // A form that is rejected keeps the choice.
        let refused = owner.submit(&format!("{path}/rotate"), &[("overlap", "-1"), ("gets", "member")]).await;
        assert!(refused.status == 422 && refused.text().contains("value=\"member\" checked"), "{}", refused.text());
        let nobody = owner.submit(&format!("/orgs/northwind/keys/{own}/rotate"), &[("overlap", "0"), ("gets", "member")]).await;
        assert!(nobody.status == 422 && nobody.text().contains("Nobody else can reveal the new secret"), "{}", nobody.text());

        app.clock.advance(DAY);
        offer(&owner, &path, "3600").await;
        let waits = owner.get(&path).await.text();
        for text in ["Waiting for kim to reveal the new secret until ", "Until then, the current secret works.", "value=\"withdraw-secret\"", "New secret offered"] {
            assert!(waits.contains(text), "{text}: {waits}");
        }
        assert!(!waits.contains(REVEAL) && !waits.contains("Changed just now."), "an offer changes nothing: {waits}");
        assert!(owner.get(&format!("{path}/rotate")).await.text().contains("Rotating the key ends that."));
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let seen = admin.get(&path).await.text();
        assert!(seen.contains("Waiting for kim") && !seen.contains("value=\"withdraw-secret\""), "{seen}");
        let other = app.signed_in(&org, "max", Role::Member).await;
        assert!(!other.get(&path).await.text().contains("new secret"), "it is no concern of theirs");
        for (browser, status) in [(&owner, 422), (&admin, 422), (&other, 403)] {
            let refused = browser.submit(&path, &[("change", "reveal-secret")]).await;
            assert_eq!(refused.status, status, "{}", refused.text());
        }
        for browser in [&admin, &other, &member] {
            assert_eq!(browser.submit(&path, &[("change", "withdraw-secret")]).await.status, 403);
        }
        for page in [&path, &request] {
            let page = member.get(page).await.text();
            for text in [REVEAL, "dana rotates this key", "The current secret works for 1 hour after that.", &format!("action=\"{path}\"")] {
                assert!(page.contains(text), "{text}: {page}");
            }
            assert!(!page.contains("value=\"withdraw-secret\""), "{page}");
        }
        let list = member.get("/orgs/northwind/requests").await.text();
        assert!(list.contains(&format!("A new secret of <a href=\"{path}\">Reports</a> is ready to reveal.")) && list.contains("1 key is ready to reveal"), "{list}");
        assert!(!owner.get("/orgs/northwind/requests").await.text().contains("is ready to reveal"));
        assert_eq!(said(&app.verify(&old).await), "VALID");

        let reveal = [("change", "reveal-secret")];
        let shown = member.submit(&path, &reveal).await;
        assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "no-store"));
        let new = shown_key(&shown);
        for text in ["Reports has a new secret", "The old secret works until ", "ask an owner to rotate the key"] {
            assert!(shown.text().contains(text), "{text}: {}", shown.text());
        }
        assert!(!shown.text().contains("Create a service token"), "{}", shown.text());
        assert_eq!(shown_key(&member.submit(&path, &reveal).await), new, "a double click shows the same");
        let page = member.get(&path).await.text();
        assert!(!page.contains(REVEAL) && !page.contains(&new), "{page}");
        let again = member.submit(&path, &reveal).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, &*format!("{path}?shown=1")));
        let told = member.get(&format!("{path}?shown=1")).await.text();
        assert!(told.contains("The secret was shown then and cannot be shown again.") && told.contains("to rotate the key.") && !told.contains(&format!("{path}/rotate")), "{told}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 3, "the first key has two, the other one");
        let new = PlainKey::from_presented(new);
        assert_eq!([said(&app.verify(&old).await), said(&app.verify(&new).await)], ["VALID", "VALID"]);
        app.clock.advance(HOUR);
        assert_eq!([said(&app.verify(&old).await), said(&app.verify(&new).await)], ["INVALID_API_KEY superseded", "VALID"]);
        assert!(!owner.get(&path).await.text().contains("Waiting for kim"));
        let log = owner.get("/orgs/northwind/audit").await.text();
        for text in ["Let a member reveal a new secret of the key", "For: </span>kim", "Offered by: </span>dana", "Overlap in seconds: </span>3"] {
            assert!(log.contains(text), "{text}: {log}");
        }
    }

    async fn an_owner_withdraws_it_and_the_member_is_told(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (member, path, _, old) = revealed(app, &org, &owner).await;
        offer(&owner, &path, "0").await;
        assert!(owner.get(&path).await.text().contains("New secret offered. The key stays as it is until the new secret is revealed."));
        assert!(member.get(&path).await.text().contains("The current secret ends when you reveal the new one."));
        let withdraw = [("change", "withdraw-secret")];
        for _ in 0..2 {
            let done = owner.submit(&path, &withdraw).await;
            assert_eq!((done.status.as_u16(), done.header("location")), (303, &*path));
        }
        let page = owner.get(&path).await.text();
        assert!(page.contains("New secret withdrawn. The key stays as it is.") && !page.contains("Waiting for kim"), "{page}");
        let refused = member.submit(&path, &[("change", "reveal-secret")]).await;
        assert!(refused.status == 422 && refused.text().contains("The new secret was withdrawn before you revealed it."), "{}", refused.text());
        assert!(!member.get(&path).await.text().contains(REVEAL));
        assert_eq!(said(&app.verify(&old).await), "VALID");
        offer(&owner, &path, "0").await;
        app.clock.advance(90 * DAY);
        app.database.execute("UPDATE key_hand_overs SET expires_at = 9999999999999").await;
        let member = app.browser();
        member.sign_in("kim@northwind.example", PASSWORD).await;
        assert!(!member.get(&path).await.text().contains(REVEAL), "the key has expired");
        let refused = member.submit(&path, &[("change", "reveal-secret")]).await;
        assert!(refused.status == 422 && refused.text().contains("No new secret of this key waits for you."), "{}", refused.text());
    }

    async fn the_call_of_the_island_rotates_for_the_owner_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (_, path, _, _) = revealed(app, &org, &owner).await;
        let key = path.rsplit('/').next().unwrap();
        let fields = [("org", "northwind"), ("key", key), ("form[overlap]", "0"), ("form[gets]", "member")];
        assert_eq!(owner.call("/api/keys/rotate", &fields).await.status, 400);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_secrets").await, 1);
    }
}
