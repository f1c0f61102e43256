//! What owners change in requests for keys, what policies demand of them, and asking again.

use latchkey::{orgs::policies, policy::KeyPolicy, revision::Known, role::Role};

use crate::test_app::{Browser, TestApp, TestOrg};

const LIST: &str = "/orgs/northwind/requests";
const ASK: &str = "/orgs/northwind/requests/new";

/// The fields of a request for a secret key that can do everything and never expires.
const ALL: [(&str, &str); 6] = [
    ("name", "Everything"),
    ("purpose", "A copy of all data"),
    ("kind", "secret"),
    ("environment", "live"),
    ("access", "full"),
    ("expires", "never"),
];

/// What an owner makes of it.
const LESS: [(&str, &str); 7] = [
    ("name", "Reports"),
    ("kind", "secret"),
    ("environment", "live"),
    ("access", "chosen"),
    ("scopes", "bots:read"),
    ("expires", "30"),
    ("ip_ranges", "192.0.2.1"),
];

async fn asked(browser: &Browser) -> String {
    let answer = browser.submit(ASK, &ALL).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}

async fn changed(owner: &Browser, path: &str) {
    let edit = format!("{path}/edit");
    let base = owner.get(&edit).await.hidden("base");
    let fields = [LESS.as_slice(), &[("base", &base)]].concat();
    assert_eq!(owner.submit(&edit, &fields).await.status, 303);
}

async fn decided(owner: &Browser, path: &str, change: &str) {
    let version = owner.get(path).await.hidden("version");
    let fields = [("change", change), ("version", &version), ("comment", "So")];
    assert_eq!(owner.submit(path, &fields).await.status, 303);
}

async fn require(org: &TestOrg, policy: KeyPolicy) {
    policies::change(&org.engine, &org.permit(), policy, &Known::Nothing)
        .await
        .unwrap();
}

/// A row of the table of changes, as text.
fn change_row(page: &str, title: &str) -> String {
    let start = format!("<th scope=\"row\">{title}</th>");
    let (_, row) = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {title}: {page}"));
    let row = row.split("</tr>").next().unwrap_or_default();
    let cells = row.split("</td>").filter_map(|cell| cell.split_once('>'));
    let cells: Vec<&str> = cells.map(|(_, text)| text).collect();
    cells.join(" → ")
}

on_both! {
    async fn a_request_that_breaks_a_policy_says_so_before_anyone_decides(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        let path = asked(&member).await;
        let strict = KeyPolicy { longest_life_days: Some(30), scopes_required: true, ip_ranges_required: true, ..KeyPolicy::default() };
        require(&org, strict).await;
        let sentences = [
            "Keys of this organization must expire within 30 days. Choose a date within that time.",
            "Keys of this organization cannot have full access. Select the scopes that the key needs.",
            "Live secret keys of this organization must have IP ranges, together no larger than two IPv4 networks of /8 and an IPv6 network of /16. Enter the addresses of your servers.",
        ];
        let edit = format!("{path}/edit");
        for (browser, page, mark) in [
            (&owner, LIST, "Must be changed"),
            (&member, LIST, "Must be changed"),
            (&owner, path.as_str(), "Change the request, or decline it."),
            (&member, path.as_str(), "You can also withdraw it and ask again."),
            (&owner, edit.as_str(), "This key cannot be approved as it was asked for."),
        ] {
            let text = browser.get(page).await.text();
            for expected in sentences.iter().chain([&mark]) {
                assert!(text.contains(expected), "{page}: {expected}: {text}");
            }
            assert!(!text.contains("value=\"approve\""), "{text}");
        }
        let form = owner.get(&edit).await.body;
        assert!(!form.contains("value=\"never\"") && form.contains("<option value=\"30\" selected"), "{form}");
        let full = form.split("<input").find(|input| input.contains("value=\"full\"")).unwrap();
        let full = full.split('>').next().unwrap();
        assert!(full.contains(" disabled") && !full.contains(" checked"), "{full}");
        let refused = owner.submit(&path, &[("change", "approve"), ("version", "0")]).await;
        assert!(refused.status == 422 && sentences.iter().all(|sentence| refused.text().contains(sentence)), "{}", refused.text());

        changed(&owner, &path).await;
        let page = owner.get(&path).await.text();
        assert!(page.contains("value=\"approve\"") && sentences.iter().all(|sentence| !page.contains(sentence)), "{page}");
        decided(&owner, &path, "approve").await;
        require(&org, KeyPolicy { longest_life_days: Some(7), ..strict }).await;
        let page = member.get(&path).await.text();
        for expected in ["This key cannot be revealed as it was approved.", "must expire within 7 days", "Withdraw the request, and ask again."] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        assert!(!page.contains("value=\"reveal\""), "{page}");
        let page = owner.get(&path).await.text();
        assert!(page.contains("Take the approval back, so that kim can ask again.") && page.contains(">Take approval back</button>"), "{page}");
        decided(&owner, &path, "decline").await;
        let page = owner.get(&path).await.text();
        assert!(page.contains("Approval taken back. The key cannot be revealed.") && page.contains("Declined by dana"), "{page}");
    }

    async fn what_policies_forbid_cannot_be_asked_for_and_the_form_says_so_first(app: &TestApp) {
        let org = app.org("northwind").await;
        let member = app.signed_in(&org, "kim", Role::Member).await;
        require(&org, KeyPolicy { longest_life_days: Some(30), scopes_required: true, ip_ranges_required: true, ..KeyPolicy::default() }).await;
        let refused = member.submit(ASK, &ALL).await;
        assert_eq!(refused.status, 422);
        for (field, sentence) in [
            ("expires", "must expire within 30 days"), ("scopes", "cannot have full access"), ("ip_ranges", "must have IP ranges"),
        ] {
            assert!(refused.body.contains(&format!("id=\"{field}-error\"")) && refused.text().contains(sentence), "{field}: {}", refused.body);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM key_requests").await, 0);
    }

    async fn what_an_owner_has_changed_is_shown_next_to_what_was_asked_for(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (member, admin) = (app.signed_in(&org, "kim", Role::Member).await, app.signed_in(&org, "ari", Role::Admin).await);
        let shop = latchkey::projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap().to_string();
        for asker in [&member, &admin] {
            let path = asked(asker).await;
            assert!(!asker.get(&path).await.text().contains("Asked for</th>"));
            let edit = format!("{path}/edit");
            let fields = [LESS.as_slice(), &[("project", &shop), ("notes", "For the board"), ("base", "0")]].concat();
            assert_eq!(owner.submit(&edit, &fields).await.status, 303);
            // A second change does not hide what was asked for.
            changed(&owner, &path).await;
            assert!(asker.get(&path).await.text().contains("<th scope=\"col\">Changed to</th>"));
            decided(&owner, &path, "approve").await;
            for reader in [asker, &owner] {
                let page = reader.get(&path).await.text();
                for (title, row) in [
                    ("Name", "Everything → Reports"), ("Scopes", "full access → bots:read"), ("IP ranges", "none → 192.0.2.1"),
                    ("Expires", "Never → 30 days after it is revealed"),
                ] {
                    assert_eq!(change_row(&page, title), row);
                }
                assert!(page.contains("<th scope=\"col\">Approved</th>") && page.contains(", with changes."), "{page}");
                assert!(!page.contains("<th scope=\"row\">Project</th>"), "as it was asked for: {page}");
            }
            let page = owner.get(&path).await.text();
            let history = page.split_once("History</h2>").expect("a history").1;
            let (approved, before) = history.split_once("<b>Approved</b> by dana").expect("an approval");
            assert!(approved.is_empty() || !approved.contains("<b>"), "newest first: {approved}");
            for part in ["Name: Everything → </span>Reports", "<b>Changed</b> by dana", "<b>Asked</b>"] {
                assert!(before.contains(part), "{part}: {before}");
            }
            assert!(!member.get(&path).await.text().contains("History</h2>"), "members do not see the log");
            let approved = app.database.texts("SELECT changes FROM audit_log WHERE event = 'key_request.approved' ORDER BY position DESC").await.remove(0);
            assert!(approved.contains("\"ip_ranges\"") && approved.contains("Everything"), "{approved}");
        }
    }

    async fn an_owner_reads_the_purpose_and_what_it_allows_before_they_decide(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = asked(&app.signed_in(&org, "kim", Role::Member).await).await;
        let page = owner.get(&path).await.text();
        let place = |id: &str| page.find(&format!("<h2 id=\"{id}\">")).unwrap_or_else(|| panic!("no {id}: {page}"));
        assert!(place("purpose") < place("key") && place("key") < place("decide"), "{page}");
        assert!(page.contains(">Decline</button>") && !page.contains("Take approval back"), "{page}");
    }

    async fn asking_again_begins_with_what_was_asked_for(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (member, admin) = (app.signed_in(&org, "kim", Role::Member).await, app.signed_in(&org, "ari", Role::Admin).await);
        let fields = [
            ("name", "Shop"), ("purpose", "Orders\nof the shop"), ("kind", "widget"), ("environment", "test"), ("domains", "shop.example"), ("localhost", "forbid"),
            ("access", "chosen"), ("scopes", "bots:read"), ("expires", "45"), ("ip_ranges", "192.0.2.7"), ("notes", "Spring"),
        ];
        let path = member.submit(ASK, &fields).await.header("location").to_owned();
        changed(&owner, &path).await;
        decided(&owner, &path, "decline").await;
        let declined = member.get(&path).await.body;
        let again = declined.split("href=\"").find(|part| part.starts_with(&format!("{ASK}?again="))).expect("a link");
        let again = again.split('"').next().unwrap().to_owned();
        let form = member.get(&again).await.body;
        for part in ["value=\"Shop\"", "Orders\nof the shop</textarea>", "shop.example</textarea>", "192.0.2.7</textarea>", "Spring</textarea>", "<option value=\"45\" selected"] {
            assert!(form.contains(part), "{part}: {form}");
        }
        let checked = |value: &str| {
            let input = form.split("<input").find(|input| input.contains(&format!("value=\"{value}\""))).unwrap_or_default();
            input.split('>').next().unwrap_or_default().contains(" checked")
        };
        let expected = [("widget", true), ("test", true), ("chosen", true), ("bots:read", true), ("forbid", true), ("secret", false), ("full", false), ("bots:write", false)];
        for (value, is) in expected {
            assert_eq!(checked(value), is, "{value}: {form}");
        }
        // The form has a token of its own, so it makes another request.
        let token = member.get(&again).await.hidden("creation_token");
        let sent = [fields.as_slice(), &[("creation_token", &token)]].concat();
        let second = member.submit(ASK, &sent).await.header("location").to_owned();
        assert!(second.starts_with(LIST) && second != path, "{second}");
        // What a policy has since forbidden is not filled in.
        require(&org, KeyPolicy { longest_life_days: Some(7), ..KeyPolicy::default() }).await;
        let form = member.get(&again).await.body;
        assert!(form.contains("<option value=\"7\" selected") && !form.contains("value=\"45\""), "{form}");
        // Someone else's request fills in nothing.
        let other = admin.get(&again).await;
        assert!(other.status == 200 && !other.body.contains("Orders") && !other.body.contains("Shop"), "{}", other.body);
    }
}
