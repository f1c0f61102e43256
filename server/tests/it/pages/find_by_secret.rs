//! Finding a key by its secret.

use latchkey::{
    audit::security_events,
    id::KeyId,
    key::{RevokeReason, text::PlainKey},
    keys::{
        change_state::revoke,
        rotate::{Rotation, rotate},
    },
    random::Randomness,
    role::{Role, TokenScope},
};

use crate::test_app::{Browser, HttpAnswer, TestApp};

const KEYS: &str = "/orgs/northwind/keys";
const FIND: &str = "/orgs/northwind/keys/find";
const UNKNOWN: &str = "/orgs/northwind/keys/find?none=1";

async fn find(browser: &Browser, secret: &str) -> String {
    let answer = browser.submit(FIND, &[("secret", secret)]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("cache-control")),
        (303, "no-store"),
        "{answer:?}"
    );
    answer.header("location").to_owned()
}

/// The IDs of all secrets, the oldest first.
async fn secret_ids(app: &TestApp) -> Vec<String> {
    app.database
        .texts("SELECT id FROM key_secrets ORDER BY created_at")
        .await
}

/// A whole key that does not exist.
fn unknown(app: &TestApp) -> PlainKey {
    let convention = app.engine.convention();
    let characters = usize::from(convention.random_characters);
    PlainKey::generate("lk_sk_live_", characters, &Randomness::System).unwrap()
}

fn page_of(key: &KeyId, secret: &str) -> String {
    format!("{KEYS}/{key}?found={secret}")
}

/// The words of a page, without its tags.
fn words(answer: &HttpAnswer) -> String {
    let text = answer.text();
    let parts = text.split('<').map(|part| match part.split_once('>') {
        Some((_, text)) => text,
        None => part,
    });
    parts.collect()
}

fn said(answer: &HttpAnswer) -> String {
    answer.text()
}

on_both! {
    async fn owners_and_admins_find_a_key_by_every_secret_that_it_had(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let made = org.key("Production").await;
        let old = made.plain.expose().to_owned();
        let form = owner.get(&format!("{KEYS}/{}/rotate?found=1", made.id)).await;
        assert!(form.text().contains("If the secret has leaked") && form.body.contains("value=\"0\" checked"), "{}", form.body);
        let form = owner.get(&format!("{KEYS}/{}/rotate", made.id)).await;
        assert!(!form.text().contains("leaked") && form.body.contains("value=\"86400\" checked"), "{}", form.body);
        assert!(owner.get(KEYS).await.body.contains(FIND));
        let first = page_of(&made.id, &secret_ids(app).await[0]);
        assert_eq!(find(&owner, &old).await, first);
        app.pass(2_000).await;
        let rotated = rotate(&app.engine, &org.permit(), made.id, Rotation { overlap: 0, token: None }).await.unwrap();
        let second = page_of(&made.id, &secret_ids(app).await[1]);
        let new = rotated.plain.expose();
        for (text, page) in [(&*old, &first), (new, &second), (&format!(" export KEY='{old}' # leaked"), &first), (&format!("GET /v1/{new}/usage"), &second)] {
            assert_eq!(&find(&owner, text).await, page);
            assert_eq!(&find(&admin, text).await, page);
        }
        assert_eq!(find(&owner, &format!("{old} {new}")).await, second, "the current one first");
        let to_owner = owner.get(&second).await;
        let text = words(&to_owner);
        assert!(text.contains("This is the current secret of this key. If it has leaked, rotate the key, which replaces the secret, or revoke the key."), "{text}");
        let secret = &secret_ids(app).await[1];
        let ends = format!("{KEYS}/{}?revoke=1&amp;found={secret}", made.id);
        assert!(to_owner.body.contains(&ends) && to_owner.body.contains("value=\"compromised\" selected"), "{}", to_owner.body);
        let question = owner.get(&ends.replace("&amp;", "&")).await;
        assert!(words(&question).contains("This is the current secret of this key.") && question.body.contains("value=\"compromised\" selected"), "{}", question.body);
        assert!(!owner.get(&format!("{KEYS}/{}?revoke=1", made.id)).await.body.contains("value=\"compromised\" selected"));
        assert!( to_owner.body.contains(&format!("{KEYS}/{}/rotate?found=1", made.id)));
        let to_admin = admin.get(&second).await;
        let text = words(&to_admin);
        assert!(text.contains("ask an owner to rotate the key, which replaces the secret, or to revoke the key: dana.") && !to_admin.body.contains("?revoke=1"), "{text}");
        revoke(&app.engine, &org.permit(), made.id, RevokeReason::Compromised).await.unwrap();
        assert_eq!(find(&owner, &old).await, first);
        let text = words(&owner.get(&find(&owner, new).await).await);
        assert!(text.contains("This is the current secret of this key. Requests with it are rejected, because the key is revoked.") && !text.contains("If it has leaked"), "{text}");
    }

    async fn a_secret_that_a_rotation_replaced_is_shown_as_such(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let made = org.key("Production").await;
        let old = made.plain.expose();
        app.pass(60_000).await;
        rotate(&app.engine, &org.permit(), made.id, Rotation { overlap: 3_600_000, token: None }).await.unwrap();
        let page = find(&owner, old).await;
        let shown = owner.get(&page).await;
        let text = words(&shown);
        for said in [
            "This is an old secret of this key. A rotation replaced it on Nov 21, 2026, 12:01 UTC, and it works until Nov 21, 2026, 13:01 UTC. If it has leaked, end this secret now, or revoke the key.",
            "End the old secret…",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(shown.body.contains(&format!("{KEYS}/{}?end=1#secrets", made.id)) && !shown.body.contains("rotate?found=1"), "another secret leaked");
        let text = words(&admin.get(&page).await);
        assert!(text.contains("If it has leaked, ask an owner to end this secret now, or to revoke the key: dana."), "{text}");
        app.pass(3_600_000).await;
        let page = find(&owner, old).await;
        let text = words(&owner.get(&page).await);
        assert!(text.contains("This is an old secret of this key, which no longer works. A rotation replaced it on Nov 21, 2026, 12:01 UTC, and it has not worked since Nov 21, 2026, 13:01 UTC."), "{text}");
        assert!(!text.contains("If it has leaked"), "{text}");
        // Not those of another key, and nothing for those who cannot look up secrets.
        let other = org.key("Staging").await;
        let elsewhere = format!("{KEYS}/{}?{}", other.id, page.split_once('?').unwrap().1);
        assert!(!words(&owner.get(&elsewhere).await).contains("secret of this key"));
        assert!(!words(&member.get(&page).await).contains("secret of this key"));
    }

    async fn imported_keys_are_found_by_their_text_and_by_their_digest(app: &TestApp) {
        use sha2::Digest as _;
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let elsewhere = "made.elsewhere/0123456789-abcdefghij";
        let digest = sha2::Sha256::digest(elsewhere);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = format!("name,sha256\nLegacy,{digest}\n");
        let imported = owner.submit("/orgs/northwind/keys/import", &[("format", "csv"), ("text", &file), ("go", "import")]).await;
        assert!(imported.status.is_success() || imported.status.is_redirection(), "{}", imported.status);
        let ids = app.database.texts("SELECT id FROM keys WHERE name = 'Legacy'").await;
        let page = format!("{KEYS}/{}?found={}", ids[0], secret_ids(app).await[0]);
        assert_eq!(find(&owner, elsewhere).await, page);
        assert_eq!(find(&owner, &digest).await, page);
    }

    async fn an_empty_secret_is_an_error_of_its_field_and_counts_as_no_look_up(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for _ in 0..11 {
            let answer = owner.submit(FIND, &[("secret", " ")]).await;
            assert_eq!(answer.status, 422);
            assert!(answer.text().contains("Paste a key, or the SHA-256 of one."));
        }
    }

    async fn an_unknown_key_and_another_orgs_are_answered_alike(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let theirs = app.org("contoso").await.key("Theirs").await;
        let unknown = unknown(app);
        for secret in [theirs.plain.expose(), unknown.expose(), &"5e".repeat(32)] {
            assert_eq!(find(&owner, secret).await, UNKNOWN, "{secret}");
        }
        // What is no whole key is told by its form alone, whoever has it.
        let cut = |plain: &PlainKey| plain.expose()[..plain.expose().len() - 1].to_owned();
        for part in [&cut(&theirs.plain), &cut(&unknown), "lk_sk_live_7Z4r••••••••l6h3", &unknown.expose().replace("live", "test")] {
            assert_eq!(find(&owner, part).await, format!("{FIND}?none=part"), "{part}");
        }
        for other in ["\0", "häßlich", "hello"] {
            assert_eq!(find(&owner, other).await, format!("{FIND}?none=other"), "{other}");
        }
        let page = words(&owner.get(&format!("{FIND}?none=part")).await);
        assert!(page.contains("This is not a whole key: a part of it is missing, hidden or changed."), "{page}");
        let page = words(&owner.get(&format!("{FIND}?none=other")).await);
        assert!(page.contains("This does not look like a key of this Latchkey, and it is no key that was imported into this organization."), "{page}");
        let long = "ä".repeat(2_001);
        assert_eq!(owner.submit(FIND, &[("secret", &long)]).await.status, 413, "not searched, so not said to be unknown");
        let page = said(&owner.get(UNKNOWN).await);
        assert!(page.contains("No key of this organization has this secret."));
        assert!(!page.contains("Theirs"));
    }

    async fn members_find_only_keys_that_they_created(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let theirs = app.org("contoso").await.key("Theirs").await;
        let (made, own) = (org.key("Production").await, org.key("Mine").await);
        let sql = format!("UPDATE keys SET created_by = (SELECT id FROM users WHERE name = 'ben') WHERE id = '{}'", own.id);
        assert_eq!(app.database.execute(&sql).await, 1);
        let token = app.token(Some(&org), TokenScope::Verify).await;
        for secret in [made.plain.expose(), theirs.plain.expose(), unknown(app).expose()] {
            assert_eq!(find(&member, secret).await, UNKNOWN, "{secret}");
        }
        let text = words(&member.get(UNKNOWN).await);
        assert!(text.contains("None of the keys that you created has this secret.") && !text.contains("No key of this organization"), "{text}");
        assert_eq!(find(&member, token.expose()).await, format!("{FIND}?none=token"), "tokens are not theirs");
        let id = app.database.texts("SELECT id FROM service_tokens").await.remove(0);
        assert!(!words(&member.get(&format!("{FIND}?token={id}")).await).contains("This is the service token"));
        let found = find(&member, own.plain.expose()).await;
        assert!(found.starts_with(&format!("{KEYS}/{}?found=sec_", own.id)), "{found}");
        let page = member.get(&found).await;
        assert!(words(&page).contains("This key has that secret, and you created it.") && page.body.contains("value=\"ask\""), "{}", words(&page));
        assert!(member.get(KEYS).await.body.contains("Find by secret"));
        security_events::write(&app.engine, false).await.unwrap();
        let about = app.database.texts("SELECT COALESCE(target_id, '') FROM audit_log WHERE event = 'key.looked_up' ORDER BY seq").await;
        let nothing = org.org.id.to_string();
        assert_eq!(about, [nothing.clone(), nothing.clone(), nothing.clone(), nothing, own.id.to_string()]);
    }

    async fn a_service_token_of_the_organization_is_named_and_no_other(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        let contoso = app.org("contoso").await;
        let token = app.token(Some(&org), TokenScope::Manage).await;
        let id = app.database.texts("SELECT id FROM service_tokens").await.remove(0);
        let (theirs, whole) = (app.token(Some(&contoso), TokenScope::Verify).await, app.token(None, TokenScope::Verify).await);
        let unknown = format!("{}x", token.expose());
        for secret in [theirs.expose(), whole.expose(), &unknown] {
            assert_eq!(find(&owner, secret).await, format!("{FIND}?none=token"), "another one is said to be unknown");
        }
        assert!(words(&owner.get(&format!("{FIND}?none=token")).await).contains("This is a service token and not a key."));
        let found = find(&owner, &format!("LATCHKEY_SERVICE_TOKEN={}", token.expose())).await;
        assert_eq!(found, format!("{FIND}?token={id}"));
        let page = owner.get(&found).await;
        let revoke = format!("href=\"/orgs/northwind/tokens?revoke={id}\"");
        assert!(words(&page).contains("This is the service token “API”. Active, never used.") && page.body.contains(&revoke), "{}", words(&page));
        let page = admin.get(&find(&admin, token.expose()).await).await;
        assert!(words(&page).contains("If it has leaked, an owner can revoke it.") && !page.body.contains(&revoke), "{}", words(&page));
        let revoked = owner.submit("/orgs/northwind/tokens", &[("change", "revoke"), ("token", &id)]).await;
        assert_eq!(revoked.status, 303);
        let page = owner.get(&find(&owner, token.expose()).await).await;
        assert!(words(&page).contains("“API”. Revoked, never used.") && !page.body.contains(&revoke), "{}", words(&page));
        security_events::write(&app.engine, false).await.unwrap();
        let about = app.database.texts("SELECT target_id FROM audit_log WHERE event = 'key.looked_up' AND target_kind = 'token'").await;
        assert_eq!(about.len(), 3, "{about:?}");
        assert!(!app.database.holds(token.expose()).await);
        let log = words(&owner.get("/orgs/northwind/audit?event=key.looked_up").await);
        assert!(log.contains("Looked up API by its secret"), "{log}");
    }

    async fn a_person_has_ten_look_ups_a_minute(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let other = app.signed_in(&org, "olga", Role::Owner).await;
        let made = org.key("Production").await;
        for _ in 0..10 {
            find(&owner, "lk_sk_live_unknown").await;
        }
        let refused = owner.submit(FIND, &[("secret", made.plain.expose())]).await;
        assert_eq!(refused.status, 429);
        let wait: i64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert!(find(&other, made.plain.expose()).await.contains("found=sec_"), "others have their own");
        app.pass(61_000).await;
        assert!(find(&owner, made.plain.expose()).await.contains("found=sec_"));
    }

    async fn look_ups_are_in_the_audit_log_without_the_text(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        find(&owner, made.plain.expose()).await;
        find(&owner, "lk_sk_live_unknown_text").await;
        security_events::write(&app.engine, false).await.unwrap();
        let rows = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key.looked_up' ORDER BY seq").await;
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows[0].contains(r#""found""#) && rows[1].contains(r#""not found""#), "{rows:?}");
        let log = owner.get("/orgs/northwind/audit?event=key.looked_up").await.text();
        assert!(log.contains("Looked up <a href=\"/orgs/northwind/keys/key_"), "{log}");
        assert!(log.contains("Searched for a key by its secret") && !log.contains("Looked up Northwind"), "{log}");
        let about = app.database.texts("SELECT target_id FROM audit_log WHERE event = 'key.looked_up' ORDER BY seq").await;
        assert_eq!(about[0], made.id.to_string());
        for secret in [made.plain.expose(), "unknown_text"] {
            assert!(!app.database.holds(secret).await);
        }
        let history = said(&owner.get(&format!("{KEYS}/{}", made.id)).await);
        assert!(history.contains("Looked up by its secret"));
    }

    async fn a_search_for_a_secret_is_dropped_from_the_address(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = org.key("Production").await;
        let secret = made.plain.expose();
        for text in [secret, "0123456789abcdef0123456789abcdef"] {
            for browser in [&owner, &app.browser()] {
                let answer = browser.get(&format!("{KEYS}?status=active&q={text}&after=x")).await;
                let to = format!("{KEYS}?status=active&dropped=1");
                assert_eq!((answer.status.as_u16(), answer.header("location")), (303, &*to));
                assert!(!answer.body.contains(text));
            }
        }
        for query in [secret.to_owned(), format!("x={secret}"), format!("x=%2Fv1%2F{secret}%2F"), format!("x=key%253D{secret}")] {
            let answer = owner.get(&format!("{KEYS}?{query}")).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (303, &*format!("{KEYS}?dropped=1")), "{query}");
        }
        for name in ["key", "agent"] {
            let answer = owner.get(&format!("/orgs/northwind/usage?range=7d&{name}=0123456789abcdef0123456789abcdef")).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/orgs/northwind/usage?range=7d&dropped=1"), "{name}");
        }
        assert_eq!(owner.get(&format!("/orgs/northwind/usage?key={}", made.id)).await.status, 200);
        for path in [format!("{KEYS}/{secret}"), format!("/orgs/{secret}/keys"), format!("/instance/organizations/{secret}")] {
            for browser in [&owner, &app.browser()] {
                let answer = browser.get(&path).await;
                assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{path}");
            }
        }
        // Secrets without a known prefix, and forms: the page to sign in does not repeat the path.
        let other = "0123456789abcdef0123456789abcdef";
        let signed_out = app.browser().get(&format!("{KEYS}/{other}")).await;
        assert_eq!((signed_out.status.as_u16(), signed_out.header("location")), (302, "/sign-in"));
        let signed_out = app.browser().submit(&format!("/orgs/northwind/requests/{secret}"), &[("change", "withdraw")]).await;
        assert!(!signed_out.header("location").contains(secret), "{}", signed_out.header("location"));
        let list = said(&owner.get(&format!("{KEYS}?dropped=1")).await);
        assert!(list.contains("That search looked like a key") && list.contains("Use Find by secret"));
        for text in [&secret[..15], &made.id.to_string()] {
            assert_eq!(owner.get(&format!("{KEYS}?q={text}")).await.status, 200);
        }
        let found = owner.call("/api/find", &[("org", "northwind"), ("text", secret)]).await;
        assert_eq!(found.json(), serde_json::json!([]));
    }
}
