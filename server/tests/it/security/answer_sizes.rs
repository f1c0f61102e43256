//! No response is much larger than necessary, whatever is stored or was sent.

use std::{collections::BTreeSet, time::Duration};

use axum::http::{Method, header};
use http_body_util::BodyExt as _;
use latchkey::{access::to, audit, key::settings::SettingsChange, role::Role};
use tokio::time::{sleep, timeout};
use url::form_urlencoded;

use super::bounds::upload;
use crate::{
    denials::table::{self, Access, Entry},
    test_app::{
        Browser, HttpAnswer, TestApp, TestOrg,
        org::{agent, widget_key},
    },
};

/// The number of characters that fit into a form, each sent as three bytes.
const LONG: usize = 160_000;
/// A page with the longest value that a field accepts, or with objects of the maximum size.
const LARGEST_PAGE: usize = 400 * 1024;
/// The page of a key with the maximum number of domains of nearly the maximum length: five times their size.
const LARGEST_KEY_PAGE: usize = 640 * 1024;
/// A page of a list in the API: the megabyte of rows, and the JSON around them.
const LARGEST_LIST: usize = 1_300 * 1024;
/// A file with the maximum number of the largest entries. Of each list in an entry, twenty domains are listed.
const LARGEST_FILE: usize = 2 * 1024 * 1024;
const CSV: &str = "/orgs/northwind/audit.csv";

on_both! {
    async fn no_form_sends_back_what_is_too_long_for_its_field(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let long = "\"".repeat(LONG);
        for entry in table::entries() {
            if entry.method != Method::POST || entry.access == Access::ServiceToken {
                continue;
            }
            let key = org.create_key(widget_key("Widget", &["shop.example"])).await.unwrap().id.to_string();
            for field in fields(&entry) {
                for accept in ["text/html", "application/json"] {
                    let answer = send(&owner, &entry, &key, &field, &long, accept).await;
                    assert!(answer.body.len() < LARGEST_PAGE, "{entry} {field} {accept}: {}", answer.body.len());
                    let headers: usize = answer.headers.values().map(|value| value.len()).sum();
                    assert!(headers < 6_000, "{entry} {field} {accept}: {headers} in headers");
                    if owner.session_cookie().is_none() {
                        owner.sign_in("dana@northwind.example", crate::test_app::org::PASSWORD).await;
                    }
                }
            }
        }
    }

    async fn no_page_repeats_an_address_that_is_too_long(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.create_key(widget_key("Widget", &["shop.example"])).await.unwrap().id.to_string();
        let long = "%22".repeat(20_000);
        let names = ["q", "env", "environment", "status", "sort", "dir", "after", "before", "event", "actor", "key", "from", "to",
            "range", "origin", "revoke", "end", "next", "ended", "error", "refused", "done", "days"];
        for entry in table::entries().iter().filter(|entry| entry.method == Method::GET && entry.access != Access::ServiceToken) {
            let path = filled(entry.path, &key);
            for name in names {
                let answer = owner.get(&format!("{path}?{name}={long}")).await;
                assert!(answer.body.len() < LARGEST_PAGE, "{entry} {name}: {}", answer.body.len());
            }
        }
    }

    async fn a_file_is_not_sent_back_and_a_cell_is_clipped(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let lots = "<".repeat(3_900 * 1024);
        for file in [format!("name,sha256\n{lots},x\n"), format!("name,sha256,kind,scopes,domains,project\n{0},{0},{0},{0},{0},{0}\n", &lots[..600_000])] {
            let answer = upload(&owner, "csv", &file).await;
            assert!(answer.text().contains("The key cannot be imported"), "{}", answer.status);
            assert!(answer.body.len() < 100_000, "{}", answer.body.len());
            assert!(answer.body.contains(&format!(">{}…<", "&lt;".repeat(64))), "the name is truncated");
        }
        let unreadable = upload(&owner, "csv", &format!("{lots}\n")).await;
        assert!(unreadable.status == 422 && unreadable.body.len() < 100_000, "{}", unreadable.body.len());
    }

    async fn a_file_that_is_too_large_for_the_page_is_selected_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let rows: String = (0..1_800).map(|number| format!("Key {number},{number:0>64x},{}\n", "<".repeat(2_000))).collect();
        let file = format!("name,sha256,notes\n{rows}");
        let looked = upload(&owner, "csv", &file).await;
        assert!(looked.text().contains("1,800 keys are ready to import.") && looked.text().contains("Select it again"), "{}", looked.status);
        assert!(looked.body.len() < LARGEST_PAGE, "{}", looked.body.len());
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        let small = "name,sha256\nOne,".to_owned() + &"a".repeat(64);
        let looked = upload(&owner, "csv", &small).await;
        assert!(looked.body.contains("name,sha256\nOne,aaa") && !looked.text().contains("Select it again"), "{}", looked.body);
        let wrong = upload(&owner, "csv", "name,sha256\nOne,abc").await;
        assert!(!wrong.body.contains("name,sha256\nOne"), "a file is not shown as pasted text: {}", wrong.body);
        let pasted = owner.submit("/orgs/northwind/keys/import", &[("format", "csv"), ("text", "name,sha256\nOne,abc")]).await;
        assert!(pasted.body.contains("name,sha256\nOne,abc"), "pasted text is kept for correction: {}", pasted.body);
    }

    async fn a_list_by_program_ends_a_page_early_and_loses_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let (even, odd) = (domains(0), domains(1));
        for number in 0..24 {
            org.create_key(widget_key(&format!("Widget {number:02}"), &refs(&even))).await.unwrap();
            let made = agent(&format!("Agent {number:02}"), &refs(&even));
            latchkey::agents::create::create(&app.engine, &org.permit(), &made).await.unwrap();
        }
        fatten(&org, 12, [&even, &odd]).await;
        for (path, what, expected) in [
            ("/v1/orgs/northwind/keys", "name", 25),
            ("/v1/orgs/northwind/agents", "name", 24),
            ("/v1/orgs/northwind/audit", "seq", 62),
        ] {
            let (mut seen, mut pages, mut address) = (Vec::new(), 0, format!("{path}?limit=100"));
            loop {
                let answer = api.get(&address).await;
                assert!(answer.status == 200 && answer.body.len() < LARGEST_LIST, "{address}: {}", answer.body.len());
                let page = answer.json();
                let rows = page["data"].as_array().unwrap();
                assert!(!rows.is_empty(), "{address}");
                seen.extend(rows.iter().map(|row| row[what].to_string()));
                pages += 1;
                match page["next_cursor"].as_str() {
                    Some(cursor) => address = format!("{path}?limit=100&cursor={cursor}"),
                    None => break,
                }
            }
            let distinct: BTreeSet<&String> = seen.iter().collect();
            assert_eq!((seen.len(), distinct.len()), (expected, expected), "{path}");
            assert!(pages >= 3, "{path}: {pages}");
        }
    }

    async fn a_key_with_as_many_domains_and_changes_as_there_can_be_has_a_page(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = fatten(&org, 25, [&domains(0), &domains(1)]).await;
        let path = format!("/orgs/northwind/keys/{key}");
        let wrong = "-!,".repeat(6_000);
        let edit = format!("{path}/edit");
        for (what, largest, answer) in [
            ("page", LARGEST_KEY_PAGE, owner.get(&path).await),
            ("wrong domains", LARGEST_KEY_PAGE, owner.submit(&path, &[("add", &wrong)]).await),
            ("edit", LARGEST_PAGE, owner.get(&edit).await),
            ("wrong edit", LARGEST_PAGE, owner.submit(&edit, &[("name", ""), ("ip_ranges", &wrong)]).await),
            ("log", LARGEST_PAGE, owner.get("/orgs/northwind/audit").await),
            ("log of the key", LARGEST_PAGE, owner.get(&format!("/orgs/northwind/audit?key={key}")).await),
        ] {
            assert!([200, 422].contains(&answer.status.as_u16()), "{what}: {}", answer.status);
            assert!(answer.body.len() < largest, "{what}: {}", answer.body.len());
        }
    }

    async fn a_file_of_the_log_is_bounded_and_says_how_to_go_on(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        fatten(&org, 2, [&domains(0), &domains(1)]).await;
        multiply_log(app, 7).await;
        let stored = app.database.number("SELECT CAST(SUM(OCTET_LENGTH(changes)) AS BIGINT) FROM audit_log").await;
        assert!(stored > 32 * 1024 * 1024, "{stored}");
        let (mut seqs, mut path, mut files) = (Vec::new(), format!("{CSV}?event=key.updated"), 0);
        loop {
            let file = owner.get(&path).await;
            assert!(file.status == 200 && file.body.len() < LARGEST_FILE, "{path}: {}", file.body.len());
            files += 1;
            let mut reader = csv::Reader::from_reader(file.body.as_bytes());
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            seqs.extend(records.iter().filter_map(|record| record[0].parse::<i64>().ok()));
            let last = records.last().unwrap()[0].to_owned();
            let Some((words, rest)) = last.split_once("http://localhost:3000") else { break };
            assert_eq!(words, "This file is full, and more entries match. For those, open ");
            assert!(rest.starts_with(&format!("{CSV}?event=key.updated&before=")), "{rest}");
            path = rest.to_owned();
        }
        let all = app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'key.updated'").await;
        assert_eq!(seqs.len() as i64, all);
        assert!(seqs.is_sorted_by(|newer, older| newer > older), "{seqs:?}");
        assert!(files >= 3, "{files}");
    }

    async fn a_file_that_cannot_be_read_to_its_end_does_not_end_as_if_it_were_whole(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        fatten(&org, 9, [&domains(0), &domains(1)]).await;
        let whole = owner.begin(CSV).await.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&whole).contains("key.created"));
        let cut_off = owner.begin(CSV).await;
        assert_eq!(cut_off.status(), 200);
        app.engine.db().close().await;
        cut_off.into_body().collect().await.unwrap_err();
    }

    async fn an_export_has_a_place_until_it_is_sent_and_an_org_has_two(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&northwind, "dana", Role::Owner).await;
        let other = app.signed_in(&contoso, "eve", Role::Owner).await;
        let unread = [owner.begin(CSV).await, owner.begin(CSV).await];
        assert!(unread.iter().all(|answer| answer.status() == 200));
        let busy = owner.get(CSV).await;
        assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, "2"));
        assert!(busy.text().contains("Latchkey is busy"), "{}", busy.body);
        assert_eq!(other.get("/orgs/contoso/audit.csv").await.status, 200, "another org has its own places");
        drop(unread);
        let permit = northwind.permit::<to::SeeAuditLog>();
        let enter = || audit::enter_export(&app.engine, &permit);
        // The tasks that send the files end shortly after their clients have disconnected.
        let both_free = async {
            loop {
                match (enter().await, enter().await) {
                    (Ok(one), Ok(other)) => return [one, other],
                    _ => sleep(Duration::from_millis(1)).await,
                }
            }
        };
        let places = timeout(Duration::from_secs(10), both_free).await.expect("a disconnect frees the place");
        assert!(enter().await.is_err(), "nobody knows whose these are");
        assert_eq!(owner.get(CSV).await.status, 200, "a person without any has one beyond the share");
        drop(places);
        assert_eq!(owner.get(CSV).await.status, 200);
    }
}

/// The fields of an entry's form: those in the table, and optional ones.
fn fields(entry: &Entry) -> BTreeSet<String> {
    let more: &[&str] = match entry.path {
        "/orgs/{org}/keys" => &["reason", "answered"],
        "/orgs/{org}/keys/new" => &[
            "domains",
            "localhost",
            "ip_ranges",
            "project",
            "scopes",
            "expires_on",
            "notes",
        ],
        "/orgs/{org}/keys/{key}" => &["change", "reason", "add", "remove", "localhost"],
        "/orgs/{org}/keys/{key}/edit" => &[
            "project",
            "scopes",
            "expires_on",
            "ip_ranges",
            "notes",
            "base",
        ],
        "/orgs/{org}/keys/{key}/rotate" => &["rotation_token"],
        "/orgs/{org}/keys/import" => &["go"],
        "/orgs/{org}/agents/new" | "/orgs/{org}/agents/{agent}" => {
            &["name", "domains", "project", "public_embedding", "base"]
        }
        _ => &[],
    };
    let in_table =
        form_urlencoded::parse(entry.fields.as_bytes()).map(|(name, _)| name.into_owned());
    in_table
        .chain(more.iter().map(|name| (*name).to_owned()))
        .collect()
}

/// Sends an entry's form with one field that is too long.
async fn send(
    browser: &Browser,
    entry: &Entry,
    key: &str,
    field: &str,
    long: &str,
    accept: &str,
) -> HttpAnswer {
    let fields = filled(entry.fields, key);
    let others = form_urlencoded::parse(fields.as_bytes()).filter(|(name, _)| name != field);
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(others).append_pair(field, long);
    let request = browser
        .request(entry.method.clone(), &filled(entry.path, key))
        .header(header::ACCEPT, accept);
    browser.send(request, &form.finish()).await
}

fn filled(text: &str, key: &str) -> String {
    text.replace("{org}", "northwind")
        .replace("{key}", key)
        .replace("{agent}", table::AGENT)
        .replace("{project}", table::PROJECT)
        .replace("{*any}", "no/such/page")
}

/// The maximum number of domains in a list, of nearly the maximum length.
fn domains(first: usize) -> Vec<String> {
    let label = "a".repeat(60);
    (0..500)
        .map(|number| {
            format!(
                "d{}.{label}.{label}.{label}.{}.example",
                2 * number + first,
                "b".repeat(50)
            )
        })
        .collect()
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Creates a widget key and changes its domains this many times from one list to the other.
async fn fatten(org: &TestOrg, changes: usize, lists: [&Vec<String>; 2]) -> String {
    let id = org
        .create_key(widget_key("Fat", &refs(lists[0])))
        .await
        .unwrap()
        .id;
    for number in 1..=changes {
        let list = lists[number % 2]
            .iter()
            .map(|domain| domain.parse().unwrap())
            .collect();
        let change = SettingsChange {
            domains: Some(list),
            ..SettingsChange::default()
        };
        org.edit(id, change).await.unwrap();
    }
    id.to_string()
}

/// Doubles the log this many times.
async fn multiply_log(app: &TestApp, times: usize) {
    for _ in 0..times {
        app.database
            .execute(
                "INSERT INTO audit_log (position, org_id, seq, at, event, actor_kind, actor_id, via, network, client, request_id, \
                 target_kind, target_id, changes, pepper_version, hash) \
                 SELECT position + (SELECT MAX(position) FROM audit_log), org_id, seq + (SELECT MAX(seq) FROM audit_log), at, \
                 event, actor_kind, actor_id, via, network, client, request_id, target_kind, target_id, changes, pepper_version, hash \
                 FROM audit_log",
            )
            .await;
    }
}
