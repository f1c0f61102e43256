//! Asking for a key, deciding on requests, and revealing an approved key once.

use latchkey::{key::text::PlainKey, role::Role};

use crate::{
    pages::new_key::shown_key,
    test_app::{Browser, HttpAnswer, TestApp, said},
};

const LIST: &str = "/orgs/northwind/requests";
const ASK: &str = "/orgs/northwind/requests/new";

/// The fields of a request for a secret key that reads bots, for 90 days from its reveal.
fn fields(name: &str) -> Vec<(&str, &str)> {
    vec![
        ("name", name),
        ("purpose", "Monthly reports\r\nfor the board"),
        ("kind", "secret"),
        ("environment", "live"),
        ("access", "chosen"),
        ("scopes", "bots:read"),
        ("expires", "90"),
    ]
}

/// Asks for a key and returns the path of the request's page.
async fn asked(browser: &Browser, fields: &[(&str, &str)]) -> String {
    let answer = browser.submit(ASK, fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let path = answer.header("location").to_owned();
    assert!(path.starts_with(&format!("{LIST}/krq_")), "{path}");
    path
}

async fn approve(owner: &Browser, path: &str) -> HttpAnswer {
    let version = owner.get(path).await.hidden("version");
    owner
        .submit(
            path,
            &[
                ("change", "approve"),
                ("version", &version),
                ("comment", ""),
            ],
        )
        .await
}

on_both! {
    async fn a_member_gets_a_key_without_anyone_sending_a_secret(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let keys = member.get("/orgs/northwind/keys").await.text();
        assert!(keys.contains(&format!("href=\"{ASK}\"")), "{keys}");
        let form = member.get(ASK).await;
        assert!(form.text().contains("90 days after it is revealed"), "{}", form.text());
        let token = form.hidden("creation_token");
        let fields = [fields("Reports").as_slice(), &[("creation_token", &token)]].concat();
        let path = asked(&member, &fields).await;
        assert_eq!(asked(&member, &fields).await, path, "a form that is submitted twice makes one request");
        let waits = member.get(&path).await.text();
        for text in ["Waiting for an owner", "Request sent.", "Ask dana (dana@northwind.example) to decide.", "Withdraw request"] {
            assert!(waits.contains(text), "{text}: {waits}");
        }
        assert!(!waits.contains("value=\"approve\"") && !waits.contains("/edit\""), "{waits}");

        let queue = owner.get(LIST).await.text();
        for text in ["Reports", "kim", "Can read bots; cannot write anything.", "1 request waits for a decision"] {
            assert!(queue.contains(text), "{text}: {queue}");
        }
        let page = owner.get(&path).await.text();
        for text in ["Monthly reports</p><p>for the board", "Can read bots; cannot write anything.", "90 days after it is revealed", "value=\"approve\""] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert_eq!(approve(&owner, &path).await.status, 303);
        assert!(owner.get(LIST).await.text().contains("No requests wait"));
        assert!(owner.get(&format!("{LIST}?show=all")).await.text().contains("Approved"));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);

        let list = member.get(LIST).await.text();
        assert!(list.contains("1 key is ready to reveal") && list.contains("Ready to reveal"), "{list}");
        assert!(member.get(&path).await.text().contains("Reveal key"));
        // A policy that came after the approval: nothing says that the key is ready.
        let off = latchkey::policy::KeyPolicy { rotation_days: None, ..Default::default() };
        let require = async |policy| latchkey::orgs::policies::change(&app.engine, &org.permit(), policy, &latchkey::revision::Known::Nothing).await.unwrap();
        require(latchkey::policy::KeyPolicy { longest_life_days: Some(1), ..off }).await;
        for page in [LIST, &path] {
            let page = member.get(page).await.text();
            assert!(page.contains("Approved, cannot be revealed") && !page.contains("eady to reveal"), "{page}");
        }
        require(off).await;
        // What is approved is stored: nothing that is sent with the reveal changes it.
        let tampered = [("change", "reveal"), ("name", "Other"), ("access", "full"), ("scopes", "bots:write"), ("expires", "never"), ("kind", "widget"), ("environment", "test")];
        let shown = member.submit(&path, &tampered).await;
        assert_eq!(shown.header("cache-control"), "no-store");
        let plain = shown_key(&shown);
        assert!(plain.starts_with("lk_sk_live_") && shown.text().contains("Reports is ready"), "{}", shown.text());
        assert!(shown.text().contains("ask an owner to rotate the key. They can let you reveal the new secret yourself.") && !shown.text().contains("Create a service token"), "{}", shown.text());
        let verified = app.verify(&PlainKey::from_presented(plain.clone())).await;
        assert_eq!(said(&verified), "VALID");
        let settings = verified.key.unwrap().settings.clone();
        assert_eq!(settings.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(), ["bots:read"]);
        let history = owner.get(&path).await.text();
        assert!(history.contains("Scopes: </span>bots:read") && !history.contains("none → "), "nothing was before the first request: {history}");
        // The same submit shows it again for a moment, until its page is opened.
        assert_eq!(shown_key(&member.submit(&path, &tampered).await), plain);
        let page = member.get(&path).await.text();
        assert!(page.contains("It cannot be shown again.") && page.contains("to rotate it.") && !page.contains(&plain), "{page}");
        let again = member.submit(&path, &tampered).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, path.as_str()));
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
        let id = app.database.texts("SELECT id FROM keys").await.remove(0);
        let own = member.get(&format!("/orgs/northwind/keys/{id}")).await.text();
        assert!(own.contains(&format!("href=\"{path}\" class=\"link\">for your request</a>")) && own.contains("bots:read"), "{own}");
        let rotation = owner.get(&format!("/orgs/northwind/keys/{id}/rotate")).await.text();
        assert!(rotation.contains("kim asked for this key: give it to them where only they can read it."), "{rotation}");
        let details = owner.get(&format!("/orgs/northwind/keys/{id}")).await.text();
        assert!(details.contains("<dt>Approved</dt><dd>by dana</dd>") && details.contains("by kim"), "{details}");
        // Who can open the request has a link to it.
        let link = format!("<a href=\"{path}\" class=\"link\">");
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let seen_by_admin = admin.get(&format!("/orgs/northwind/keys/{id}")).await.text();
        assert_eq!((details.contains(&link), seen_by_admin.contains(&link)), (true, false), "{details}");
        assert!(seen_by_admin.contains("Request: </span>krq"), "{seen_by_admin}");
        let csv = owner.get("/orgs/northwind/keys.csv").await.body;
        assert!(csv.contains(",kim,dana,"), "{csv}");
        let log = owner.get("/orgs/northwind/audit").await.text();
        for text in ["Asked for the key", "Approved the request for the key", "Approved by: </span>dana", "Requester: </span>kim"] {
            assert!(log.contains(text), "{text}: {log}");
        }
    }

    async fn reveals_at_once_show_the_key_to_the_session_that_creates_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let elsewhere = app.browser();
        elsewhere.sign_in("kim@northwind.example", crate::test_app::org::PASSWORD).await;
        let path = asked(&member, &fields("Reports")).await;
        approve(&owner, &path).await;
        let reveal = [("change", "reveal")];
        let (one, two, three) = tokio::join!(member.submit(&path, &reveal), member.submit(&path, &reveal), elsewhere.submit(&path, &reveal));
        let answers = [&one, &two, &three];
        let shown: Vec<String> = answers.iter().filter(|answer| answer.status == 200).map(|answer| shown_key(answer)).collect();
        assert!(matches!(shown.len(), 1 | 2) && shown.iter().all(|key| *key == shown[0]), "{answers:?}");
        assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.header("location") == path), "{answers:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    async fn an_owner_sees_what_is_dangerous_changes_it_and_declines(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "ari", Role::Admin).await;
        let all = [("name", "All"), ("purpose", "Tests"), ("kind", "secret"), ("environment", "live"), ("access", "full"), ("expires", "never")];
        let path = asked(&admin, &all).await;
        let queue = owner.get(LIST).await.text();
        assert!(queue.contains("Full access</span>") && queue.contains("No expiry</span>"), "{queue}");
        assert!(owner.get(&path).await.text().contains("Full access, and no expiry."));
        let edit = format!("{path}/edit");
        let form = owner.get(&edit).await;
        assert!(form.text().contains("ari asks for it because: Tests"), "{}", form.text());
        let base = form.hidden("base");
        let less = [("name", "All"), ("kind", "widget"), ("environment", "test"), ("domains", "shop.example"), ("access", "chosen"), ("scopes", "bots:read"), ("expires", "30"), ("base", &base)];
        assert_eq!(owner.submit(&edit, &less).await.status, 303);
        let page = owner.get(&path).await.text();
        for text in ["Request changed.", "Changed by dana", "shop.example", "30 days after it is revealed"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("Full access"), "{page}");
        // Someone who has the page from before approves nothing unseen, and overwrites nothing.
        let unseen = owner.submit(&path, &[("change", "approve"), ("version", "0")]).await;
        assert!(unseen.status == 422 && unseen.text().contains("Another owner has changed this request"), "{}", unseen.text());
        let other: Vec<_> = less.iter().map(|(name, value)| (*name, if *name == "name" { "Other" } else { *value })).collect();
        let outdated = owner.submit(&edit, &other).await;
        assert!(outdated.status == 422 && outdated.text().contains("Another owner has changed this request"), "{}", outdated.text());
        let refused = owner.submit(&edit, &[("name", ""), ("kind", "secret"), ("environment", "live"), ("base", "1")]).await;
        assert!(refused.status == 422 && refused.text().contains("Enter a name."), "{}", refused.text());
        let no_reason = owner.submit(&path, &[("change", "decline"), ("comment", " ")]).await;
        assert!(no_reason.status == 422 && no_reason.text().contains("Say why, so that the requester"), "{}", no_reason.text());
        assert_eq!(owner.submit(&path, &[("change", "decline"), ("comment", "Use the <b>test</b> key.")]).await.status, 303);
        let declined = admin.get(&path).await.text();
        for text in ["Declined by dana", "“Use the &lt;b&gt;test&lt;/b&gt; key.”", "Ask again"] {
            assert!(declined.contains(text), "{text}: {declined}");
        }
        let refused = admin.submit(&path, &[("change", "reveal")]).await;
        assert!(refused.status == 422 && refused.text().contains("This request was declined."), "{}", refused.text());
        let over = owner.get(&edit).await.text();
        assert!(over.contains("It can no longer be changed."), "{over}");
    }

    async fn a_form_that_is_refused_says_everything_that_is_wrong(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let refused = member.submit(ASK, &[("name", ""), ("kind", "secret"), ("environment", "live"), ("expires", "date"), ("expires_on", "2026-11-20"), ("notes", "typed with care")]).await;
        assert_eq!(refused.status, 422);
        for text in ["Enter a name.", "Say what the key is for", "Select what the key can do", "The expiry date must be in the future.", "typed with care"] {
            assert!(refused.text().contains(text), "{text}: {}", refused.text());
        }
        let evil = "</textarea><script>alert(1)</script>";
        let path = asked(&member, &[fields("<script>").as_slice(), &[("notes", evil)]].concat()).await;
        for page in [path.as_str(), LIST] {
            let page = member.get(page).await.body;
            assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;"), "{page}");
        }
        for _ in 1..5 {
            asked(&member, &fields("More")).await;
        }
        let sixth = member.submit(ASK, &fields("Sixth")).await;
        assert!(sixth.status == 422 && sixth.text().contains("You have 5 requests that wait"), "{}", sixth.text());
        assert_eq!(member.submit(&path, &[("change", "withdraw")]).await.status, 303);
        assert!(member.get(&path).await.text().contains("This request was withdrawn."));
        // Members do not see projects, so they choose none.
        let shop = latchkey::projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap().to_string();
        let path = asked(&member, &[fields("Shop").as_slice(), &[("project", &shop)]].concat()).await;
        let page = member.get(&path).await.text();
        assert!(!page.contains("Shop</dd><dt>Scopes") && !page.contains("<dt>Project</dt>"), "{page}");
        let in_shop = format!("SELECT COUNT(*) FROM key_requests WHERE settings LIKE '%{shop}%'");
        assert_eq!(app.database.number(&in_shop).await, 0);
    }

    async fn each_sees_what_concerns_them(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (member, admin) = (app.signed_in(&org, "kim", Role::Member).await, app.signed_in(&org, "ari", Role::Admin).await);
        let path = asked(&member, &fields("Reports")).await;
        // Others than owners see only their own.
        let theirs = admin.get(&path).await;
        assert!(theirs.status == 403 && !theirs.body.contains("Reports"), "{}", theirs.body);
        let list = admin.get(LIST).await.text();
        assert!(list.contains("No requests yet") && !list.contains("Reports"), "{list}");
        // What only the requester can do, no owner can.
        approve(&owner, &path).await;
        for (change, text) in [("reveal", "Only the person who asked can reveal the key."), ("withdraw", "Only the person who asked can withdraw")] {
            let refused = owner.submit(&path, &[("change", change)]).await;
            assert!(refused.status == 422 && refused.text().contains(text), "{}", refused.text());
        }
        assert_eq!(owner.submit(&path, &[("change", "open")]).await.status, 400);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        // Whoever can create keys is led to that, and to the form that asks from where they cannot.
        let own = owner.get(ASK).await;
        assert_eq!((own.status.as_u16(), own.header("location")), (303, "/orgs/northwind/keys/new"));
        let refused = owner.submit(ASK, &fields("Own")).await;
        assert!(refused.status == 303 || refused.text().contains("You can create keys yourself."), "{}", refused.text());
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 1);
        let denied = member.get("/orgs/northwind/keys/new").await;
        assert!(denied.status == 403 && denied.text().contains("Ask dana (dana@northwind.example)") && denied.text().contains(&format!("href=\"{ASK}\"")), "{}", denied.text());
        // The request of someone who has become an owner waits for another one.
        let second = asked(&admin, &fields("Own")).await;
        app.database.execute("UPDATE memberships SET role = 'owner' WHERE user_id IN (SELECT id FROM users WHERE name = 'ari')").await;
        assert!(admin.get(&second).await.text().contains("Another owner must decide."));
        let refused = admin.submit(&second, &[("change", "approve"), ("version", "0")]).await;
        assert!(refused.status == 422 && refused.text().contains("You asked for this key yourself."), "{}", refused.text());
    }

    async fn an_approval_of_a_former_owner_is_shown_as_what_it_is(app: &TestApp) {
        let org = app.org("northwind").await;
        let (owner, other) = (app.signed_in(&org, "dana", Role::Owner).await, app.signed_in(&org, "olga", Role::Owner).await);
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let path = asked(&member, &fields("Reports")).await;
        approve(&owner, &path).await;
        app.database.execute("UPDATE memberships SET role = 'member' WHERE user_id IN (SELECT id FROM users WHERE name = 'dana')").await;
        for browser in [&member, &other] {
            let page = browser.get(&path).await.text();
            assert!(page.contains("The approval no longer counts."), "{page}");
        }
        let refused = member.submit(&path, &[("change", "reveal")]).await;
        assert!(refused.status == 422 && refused.text().contains("dana, who approved this request, can no longer approve requests."), "{}", refused.text());
        approve(&other, &path).await;
        shown_key(&member.submit(&path, &[("change", "reveal")]).await);
    }
}
