//! The audit log as a page, as a file, and as the history of a key.

use latchkey::{
    agents::create::create as create_agent,
    audit::security_events::write,
    key::RevokeReason,
    key::settings::SettingsChange,
    keys::change_state::revoke,
    role::Role,
    time::{DAY, HOUR},
};

use crate::test_app::{
    Browser, HttpAnswer, TestApp,
    org::{agent, secret_key},
};

const AUDIT: &str = "/orgs/northwind/audit";
const CSV: &str = "/orgs/northwind/audit.csv";

on_both! {
    async fn owners_and_admins_see_the_log_and_members_do_not(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = format!("/orgs/northwind/keys/{}", org.key("Production").await.id);
        for (name, role) in [("dana", Role::Owner), ("kim", Role::Admin), ("ben", Role::Member)] {
            let browser = app.signed_in(&org, name, role).await;
            let page = browser.get(&key).await.body;
            let may = role != Role::Member;
            assert_eq!(page.contains("href=\"/orgs/northwind/audit\""), may, "in the navigation for {role}: {page}");
            assert_eq!(page.contains(">History</h2>"), may, "{role}: {page}");
            for path in [AUDIT, CSV] {
                let answer = browser.get(path).await;
                assert_eq!(answer.status, if may { 200 } else { 403 }, "{role} {path}");
                assert_eq!(answer.body.contains("Production"), may, "{role} {path}");
            }
        }
    }

    async fn an_entry_says_who_did_what_to_what_from_where_and_what_is_different(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("Production").await.id;
        create_agent(&app.engine, &org.permit(), &agent("Helper", &[])).await.unwrap();
        let change = SettingsChange { name: Some("Server".parse().unwrap()), scopes: Some(vec!["bots:read".parse().unwrap()]), ..SettingsChange::default() };
        org.edit(id, change).await.unwrap();
        press(&owner, "disable", &id.to_string()).await;
        let page = owner.get(AUDIT).await;
        let cli = "Nov 21, 2026, 12:00:00 UTC|Command line|";
        assert_eq!(rows(&page), [
            "Nov 21, 2026, 12:00:00 UTC|dana|Disabled the key Server|–|192.0.2.1|Dashboard".to_owned(),
            format!("{cli}Changed the key Server|Name: Production → Server|Scopes: none → bots:read|Command line"),
            format!("{cli}Created the agent Helper|–|Command line"),
            format!("{cli}Created the key Server|–|Command line"),
            format!("{cli}Added dana to the organization|Role: owner|Command line"),
            format!("{cli}Created the organization|–|Command line"),
        ]);
        assert!(page.body.contains(&format!("href=\"/orgs/northwind/keys/{id}\"")), "{}", page.body);
        assert!(page.body.contains("href=\"/orgs/northwind/agents/agt_"), "{}", page.body);
    }

    async fn sign_ins_denials_and_exports_are_told_as_sentences(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        owner.get(CSV).await;
        for _ in 0..22 {
            member.get(CSV).await;
        }
        app.clock.advance(HOUR);
        write(&app.engine, false).await.unwrap();
        member.submit("/sign-out", &[]).await;
        write(&app.engine, true).await.unwrap();
        let told: Vec<String> = rows(&owner.get(AUDIT).await).into_iter()
            .filter(|row| row.contains("192.0.2.1") || row.contains("more times"))
            .map(|row| row.split_once("UTC|").unwrap().1.to_owned()).collect();
        assert_eq!(told[..3], [
            "ben|Was denied access 12 more times in the same hour|–|Dashboard",
            "ben|Signed out|–|192.0.2.1|Dashboard",
            "ben|Was denied access|Action: see the audit log|192.0.2.1|Dashboard",
        ]);
        assert_eq!(told[12..], [
            "dana|Exported data|File: audit log|192.0.2.1|Dashboard",
            "ben|Signed in|–|192.0.2.1|Dashboard",
            "dana|Signed in|–|192.0.2.1|Dashboard",
        ]);
    }

    async fn names_are_text_and_nothing_else(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = org.key("<script>alert(1)</script>").await.id;
        let page = owner.get(&format!("{AUDIT}?key={id}&event=%22%3E%3Cscript%3E&from=%3Cb%3E")).await;
        let list = owner.get(AUDIT).await;
        let history = owner.get(&format!("/orgs/northwind/keys/{id}")).await;
        for answer in [page, list, history] {
            assert_eq!(answer.status, 200);
            assert!(!answer.body.contains("<script>") && !answer.body.contains("<b>\""), "{}", answer.body);
            assert!(answer.body.contains("&lt;script&gt;alert(1)"), "{}", answer.body);
        }
    }

    async fn filters_are_in_the_address(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let dana = app.database.texts("SELECT id FROM users").await.concat();
        let (one, two) = (org.key("One").await.id, org.key("Two").await.id);
        press(&owner, "disable", &one.to_string()).await;
        app.clock.advance(DAY);
        owner.sign_in("dana@northwind.example", crate::test_app::org::PASSWORD).await;
        revoke(&app.engine, &org.permit(), two, RevokeReason::Unused).await.unwrap();
        let all = ["Revoked the key Two", "Disabled the key One", "Created the key Two", "Created the key One",
            "Added dana to the organization", "Created the organization"];
        for (filter, expected) in [
            (String::new(), &all[..]),
            ("event=&actor=&key=&from=&to=".to_owned(), &all),
            ("event=key.*".to_owned(), &all[..4]),
            ("event=key.created".to_owned(), &all[2..4]),
            (format!("key={one}"), &["Disabled the key One", "Created the key One"]),
            (format!("key=+{one}+&event=key.disabled"), &all[1..2]),
            (format!("actor={dana}"), &all[1..2]),
            ("from=2026-11-22".to_owned(), &all[..1]),
            ("to=2026-11-21".to_owned(), &all[1..]),
            ("from=2026-11-23".to_owned(), &[]),
            ("before=nonsense".to_owned(), &all),
        ] {
            let of = |path: &str| if filter.is_empty() { path.to_owned() } else { format!("{path}?{filter}") };
            let page = owner.get(&of(AUDIT)).await;
            assert_eq!(sentences(&page), expected, "{filter}");
            assert_eq!(page.body.contains("No entries found"), expected.is_empty(), "{filter}");
            let file = owner.get(&of(CSV)).await;
            assert_eq!(records(&file).len(), expected.len() + 1, "{filter}");
        }
    }

    async fn an_invalid_filter_is_shown_and_finds_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for filter in ["event=key.eaten", "key=Production", "actor=dana", "actor=%00", "key=%FF", "from=yesterday", "to=10000-01-01", "from=2026-11-22&to=2026-11-21"] {
            let page = owner.get(&format!("{AUDIT}?{filter}")).await;
            assert_eq!(page.status, 200, "{filter}");
            assert!(page.body.contains("aria-invalid=\"true\"") && rows(&page).is_empty(), "{filter}: {}", page.body);
            let file = owner.get(&format!("{CSV}?{filter}")).await;
            assert_eq!(file.status, 400, "{filter}");
            assert!(file.header("content-type").starts_with("text/html") && file.body.contains("aria-invalid=\"true\""), "{filter}");
        }
        let unknown = owner.get(&format!("{AUDIT}?actor=usr_00000000000000000000000000000000")).await;
        assert!(unknown.status == 200 && rows(&unknown).is_empty());
    }

    async fn the_links_lead_through_all_pages(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for number in 0..118 {
            org.key(&format!("Key {number:03}")).await;
        }
        let mut pages = vec![owner.get(&format!("{AUDIT}?event=key.*")).await];
        while let Some(next) = link(&pages[pages.len() - 1], "next") {
            assert!(next.contains("event=key.*"), "{next}");
            pages.push(owner.get(&next).await);
        }
        let sizes: Vec<usize> = pages.iter().map(|page| rows(page).len()).collect();
        assert_eq!(sizes, [50, 50, 18]);
        let shown: Vec<String> = pages.iter().flat_map(sentences).collect();
        let expected: Vec<String> = (0..118).rev().map(|number| format!("Created the key Key {number:03}")).collect();
        assert_eq!(shown, expected);
        assert_eq!(link(&pages[0], "first"), None);
        let newest = owner.get(&link(&pages[2], "first").unwrap()).await;
        assert_eq!(rows(&newest), rows(&pages[0]));
        let behind_the_last = owner.get(&format!("{AUDIT}?event=key.*&before=1")).await;
        assert_eq!(rows(&behind_the_last), rows(&pages[0]), "the entries there are deleted, and the way leads back");
    }

    async fn a_person_who_is_gone_is_not_named(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let kim = app.signed_in(&org, "kim", Role::Owner).await;
        let id = org.key("Production").await.id.to_string();
        press(&kim, "disable", &id).await;
        let kim_id = app.database.texts("SELECT id FROM users WHERE name = 'kim'").await.concat();
        app.database.execute(&format!("DELETE FROM memberships WHERE user_id = '{kim_id}'")).await;
        app.database.execute(&format!("DELETE FROM users WHERE id = '{kim_id}'")).await;
        let page = owner.get(AUDIT).await;
        assert!(rows(&page)[0].contains("|Deleted user|Disabled the key Production|"), "{:?}", rows(&page));
        assert!(rows(&page)[2].contains("Added Deleted user to the organization"), "{:?}", rows(&page));
        let theirs = owner.get(&format!("{AUDIT}?actor={kim_id}")).await;
        assert_eq!(sentences(&theirs), ["Disabled the key Production"]);
        let history = owner.get(&format!("/orgs/northwind/keys/{id}")).await.text();
        assert!(history.contains("</b> by Deleted user · "), "{history}");
        assert!(records(&owner.get(CSV).await)[1].contains(&"Deleted user".to_owned()));
    }

    async fn another_orgs_entries_are_never_shown(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let theirs = other.key("Theirs").await.id;
        other.person("eve", Role::Owner).await;
        let eve = app.database.texts("SELECT id FROM users WHERE name = 'eve'").await.concat();
        for filter in ["", &format!("?key={theirs}"), &format!("?actor={eve}"), "?before=9999999"] {
            for path in [AUDIT, CSV] {
                let answer = owner.get(&format!("{path}{filter}")).await;
                assert_eq!(answer.status, 200);
                assert!(!answer.body.contains("Theirs") && !answer.body.contains(">eve") && !answer.body.contains("contoso"), "{path}{filter}: {}", answer.body);
            }
        }
    }

    async fn a_file_has_the_entries_and_no_formulas(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let names = ["=HYPERLINK(\"http://x.example\",\"y\")", "+1", "-1", "@SUM(A1)", "Plain, with \"quotes\""];
        for name in names {
            org.create_key(secret_key(name)).await.unwrap();
        }
        let answer = owner.get(&format!("{CSV}?event=key.*")).await;
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"audit-northwind-2026-11-21.csv\"");
        assert_eq!(answer.header("cache-control"), "no-store");
        let records = records(&answer);
        assert_eq!(records[0].join(","),
            "seq,time,event,actor_kind,actor_id,actor,via,client,address,target_kind,target_id,target,changes,request_id");
        let targets: Vec<&str> = records[1..].iter().rev().map(|record| record[11].as_str()).collect();
        assert_eq!(targets, ["'=HYPERLINK(\"http://x.example\",\"y\")", "'+1", "'-1", "'@SUM(A1)", "Plain, with \"quotes\""]);
        assert!(records.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{records:?}");
        assert_eq!(records[1][..6].join(","), "7,2026-11-21T12:00:00.000Z,key.created,command_line,,Command line");
    }

    async fn a_keys_page_has_its_last_entries(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, _) = (org.key("Production").await.id.to_string(), org.key("Other").await);
        for _ in 0..12 {
            press(&owner, "disable", &id).await;
            press(&owner, "enable", &id).await;
        }
        let page = owner.get(&format!("/orgs/northwind/keys/{id}")).await;
        let card = page.text().split("id=\"history\"").nth(1).unwrap().split("</section>").next().unwrap().to_owned();
        assert!(card.contains(&format!("href=\"{AUDIT}?key={id}\"")), "{card}");
        assert_eq!(card.matches("<li>").count(), 20, "{card}");
        assert_eq!(card.matches("<b>Enabled</b> by dana · ").count(), 10, "{card}");
        assert!(!card.contains("Created") && !card.contains("Other"), "{card}");
    }
}

/// Submits the form of a button on a key's page.
async fn press(browser: &Browser, change: &str, key: &str) {
    let answer = browser.change_key(key, change).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

/// The rows of the table: the text of their cells, separated by `|`.
fn rows(page: &HttpAnswer) -> Vec<String> {
    let text = page.text();
    let body = text.split("<tbody").nth(1).unwrap_or_default();
    let body = body.split("</tbody>").next().unwrap_or_default();
    let rows = body.split("<tr").skip(1);
    rows.map(|row| lines(row).join("|")).collect()
}

/// The event of each row.
fn sentences(page: &HttpAnswer) -> Vec<String> {
    let lines = rows(page);
    let what = |row: &String| row.split('|').nth(2).unwrap().to_owned();
    lines.iter().map(what).collect()
}

/// The text of cells and list items in a piece of HTML, without tags.
fn lines(html: &str) -> Vec<String> {
    let mut text = html.replace('\u{a0}', " ");
    for end in ["</td>", "</th>", "</li>", "<span class=\"under\">"] {
        text = text.replace(end, &format!("\n{end}"));
    }
    let pieces = text.split('<').skip(1);
    let bare: String = pieces
        .map(|piece| piece.split_once('>').map_or("", |(_, text)| text))
        .collect();
    let lines = bare.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The records of a CSV file, starting with the header.
fn records(answer: &HttpAnswer) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(answer.body.as_bytes());
    let records = reader.records().map(|record| record.unwrap());
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// The target of the link with this `rel`.
fn link(page: &HttpAnswer, rel: &str) -> Option<String> {
    let tag = page.body.split("<a ").find(|tag| {
        tag.split('>')
            .next()
            .is_some_and(|tag| tag.contains(&format!("rel=\"{rel}\"")))
    })?;
    let href = tag.split("href=\"").nth(1)?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}
