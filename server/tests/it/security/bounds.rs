//! Whatever a request contains, the response has a limited number of errors, and nothing is stored.

use std::fmt::Write as _;

use axum::http::{Method, header};
use latchkey::{
    agents::create::create as create_agent,
    keys::{import, list::KeyQuery},
    role::Role,
};
use serde_json::json;

use crate::test_app::{
    HttpAnswer, TestApp, TestOrg,
    org::{agent, widget_key},
};

/// The largest bodies that the API, forms and uploads accept, minus their other content.
const API_BODY: usize = 60 * 1024;
const FORM: usize = 500 * 1024;
const UPLOAD: usize = 3_900 * 1024;
/// A response repeats the input in HTML, inside a page.
const LARGEST_PAGE: usize = 200 * 1024;

on_both! {
    async fn the_largest_list_in_a_form_is_refused_with_a_few_errors(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let secret = org.key("Server").await.id;
        let widget = org.create_key(widget_key("Widget", &["shop.example"])).await.unwrap().id;
        let new = [("name", "One"), ("environment", "live"), ("access", "full"), ("expires", "30")];
        let edit = [("name", "Server"), ("access", "full"), ("expires", "keep")];
        let doors = [
            ("/orgs/northwind/keys/new".to_owned(), [&new[..], &[("kind", "widget")]].concat(), "domains"),
            ("/orgs/northwind/keys/new".to_owned(), [&new[..], &[("kind", "secret")]].concat(), "ip_ranges"),
            (format!("/orgs/northwind/keys/{secret}/edit"), edit.to_vec(), "ip_ranges"),
            (format!("/orgs/northwind/keys/{widget}"), vec![], "add"),
        ];
        for (path, fields, list) in doors {
            for text in [numbered(FORM, ".example.com"), numbered(FORM, ".0.0.0/8,"), numbered(FORM, "-!")] {
                let answer = owner.submit(&path, &[&fields[..], &[(list, text.as_str())]].concat()).await;
                assert_eq!(answer.status, 422, "{path} {list}");
                let errors = answer.body.matches("class=\"error\"").count();
                assert!((1..=22).contains(&errors), "{path} {list}: {errors} errors");
                assert!(answer.body.len() < 3 * text.len() + LARGEST_PAGE, "{path}: {} bytes", answer.body.len());
            }
        }
        nothing_was_made(&org).await;
    }

    async fn the_most_fields_of_one_name_are_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let key = org.key("Server").await.id;
        let many = |name: &str, value: &str| format!("{name}={value}&").repeat(FORM / (name.len() + value.len() + 2));
        for (path, rest, name) in [
            ("/orgs/northwind/keys/new".to_owned(), "name=One&kind=secret&environment=live&expires=30", "scopes"),
            (format!("/orgs/northwind/keys/{key}/edit"), "name=Server&expires=keep", "scopes"),
            ("/orgs/northwind/keys".to_owned(), "change=disable&answered=1", "keys"),
        ] {
            let request = owner.request(Method::POST, &path).header(header::ACCEPT, "text/html");
            let value = if name == "keys" { key.to_string() } else { "bots:read".to_owned() };
            let answer = owner.send(request, &format!("{}{rest}", many(name, &value))).await;
            assert_eq!(answer.status, 422, "{path} {name}");
        }
        nothing_was_made(&org).await;
    }

    async fn the_largest_list_of_an_agents_form_is_refused(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let text = numbered(FORM, ".example.com");
        let fields = [("name", "Assistant"), ("domains", text.as_str())];
        let answer = owner.submit("/orgs/northwind/agents/new", &fields).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(latchkey::domain::TOO_MANY_PATTERNS), "{}", answer.body);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM agents").await, 0);
    }

    async fn the_largest_list_by_program_is_refused_with_one_error(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let key = org.key("Server").await.id;
        let agent = api.post("/v1/orgs/northwind/agents", &json!({"name": "A"})).await.json()["public_id"].clone();
        let keys = "/v1/orgs/northwind/keys".to_owned();
        let new = json!({"name": "One", "kind": "widget"});
        let doors = [
            (Method::POST, keys.clone(), new.clone(), "domains", "a.io"),
            (Method::POST, keys.clone(), new.clone(), "ip_ranges", "::1"),
            (Method::POST, keys.clone(), new, "scopes", "bots:read"),
            (Method::PATCH, format!("{keys}/{key}"), json!({}), "domains", "a.io"),
            (Method::PATCH, format!("{keys}/{key}"), json!({}), "ip_ranges", "::1"),
            (Method::PATCH, format!("{keys}/{key}"), json!({}), "scopes", "bots:read"),
            (Method::POST, "/v1/orgs/northwind/agents".to_owned(), json!({"name": "B"}), "domains", "a.io"),
            (Method::PATCH, format!("/v1/orgs/northwind/agents/{}", agent.as_str().unwrap()), json!({}), "domains", "a.io"),
            (Method::POST, "/v1/verify".to_owned(), json!({}), "scopes", "bots:read"),
        ];
        for (method, path, mut body, list, item) in doors {
            body[list] = json!(vec![item; API_BODY / (item.len() + 3)]);
            let answer = api.send(method, &path, &body.to_string(), &[]).await;
            assert!(matches!(answer.status.as_u16(), 400 | 422), "{path} {list}: {}", answer.body);
            let errors = answer.json()["errors"].clone();
            assert_eq!(errors.as_array().map(Vec::len), Some(1), "{path} {list}: {errors}");
            assert!(errors[0]["detail"].as_str().unwrap().contains("at most"), "{errors}");
        }
        nothing_was_made(&org).await;
    }

    async fn the_most_fields_by_program_are_answered_with_twenty_errors(app: &TestApp) {
        let org = app.org("northwind").await;
        let api = app.api().await;
        let mut body = json!({"name": "One", "kind": "secret"});
        for number in 0..4_000 {
            body[format!("f{number}")] = json!(1);
        }
        let answer = api.post("/v1/orgs/northwind/keys", &body).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 20);
        assert_eq!(answer.json()["detail"], "Validation failed. See `errors`. And 3980 more like these.");
        let long = format!("{{\"{}\": 1}}", "f".repeat(API_BODY));
        let answer = api.send(Method::POST, "/v1/orgs/northwind/keys", &long, &[]).await;
        assert!(answer.status == 422 && answer.body.len() < 2_000, "{}", answer.body.len());
        nothing_was_made(&org).await;
    }

    async fn the_largest_list_in_an_import_is_one_row_with_a_few_problems(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (list, text) in [
            ("domains", numbered(UPLOAD, ".example.com")),
            ("domains", numbered(UPLOAD, "-!")),
            ("ip_ranges", numbered(UPLOAD, "-!")),
            ("scopes", numbered(UPLOAD, "")),
        ] {
            let row = format!("name,sha256,kind,{list}\nOne,{:0>64},widget,\"{}\"\n", "a", text.replace(',', ";"));
            let answer = upload(&owner, "csv", &row).await;
            few_problems(&answer, list);
            let entry = json!([{"name": "One", "sha256": format!("{:0>64}", "a"), list: text.split(',').collect::<Vec<_>>()}]);
            let answer = upload(&owner, "json", &entry.to_string()).await;
            few_problems(&answer, list);
        }
        nothing_was_made(&org).await;
    }

    async fn the_most_rows_of_an_import_are_reported_with_twenty_problems_a_field(app: &TestApp) {
        let org = app.org("northwind").await;
        let permit = org.permit();
        let mut rows = "name,sha256,kind,environment,domains,expires_at,notes\n".to_owned();
        for number in 0..import::MAX_ENTRIES {
            writeln!(rows, ",{number},robot,moon,-;-!;*,yesterday,").unwrap();
        }
        let format = import::Format::Csv;
        let report = import::import(&app.engine, &permit, format, &rows, false).await.unwrap();
        assert_eq!((report.imported, report.entries.len()), (false, import::MAX_ENTRIES));
        assert!(report.entries.iter().all(|entry| !entry.is_good()));
        let problems = |field: &str| {
            let of_field = report.entries.iter().flat_map(|entry| &entry.problems).filter(|problem| problem.field == field);
            of_field.count()
        };
        for field in ["name", "sha256", "kind", "environment", "domains", "expires_at"] {
            assert_eq!(problems(field), 20, "{field}");
        }
        rows.push_str(",1,robot,moon,,,\n");
        let more = import::import(&app.engine, &permit, format, &rows, false).await;
        assert!(matches!(more, Err(import::ImportError::TooMany)), "{more:?}");
        nothing_was_made(&org).await;
    }

    async fn an_import_waits_for_a_place_and_is_told_to_come_back(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        let owner = app.signed_in(&northwind, "dana", Role::Owner).await;
        let other = app.signed_in(&contoso, "eve", Role::Owner).await;
        let (row, permit) = (format!("name,sha256\nOne,{:0>64}\n", "a"), northwind.permit());
        let places = [import::begin(&app.engine, &permit).unwrap(), import::begin(&app.engine, &permit).unwrap()];
        let busy = upload(&owner, "csv", &row).await;
        assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, "2"));
        assert!(busy.text().contains("Latchkey is busy"), "{}", busy.body);
        let fields = [("format", "csv"), ("text", row.as_str())];
        let others = other.submit("/orgs/contoso/keys/import", &fields).await;
        assert_eq!(others.status, 200, "another org has its own places");
        drop(places);
        assert_eq!(upload(&owner, "csv", &row).await.status, 200);
    }

    async fn a_search_has_at_most_two_hundred_characters(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let api = app.api().await;
        for long in ["a".repeat(50_000), "_".repeat(25_000), "%C3%A9".repeat(201)] {
            let answer = api.get(&format!("/v1/orgs/northwind/keys?q={long}")).await;
            assert!(answer.status == 400 && answer.body.contains("A search has at most 200 characters."), "{}", answer.body);
            // The page drops what can be a secret.
            let page = owner.get(&format!("/orgs/northwind/keys?q={long}")).await;
            assert!([200, 303].contains(&page.status.as_u16()), "{}", page.status);
        }
        assert_eq!(api.get(&format!("/v1/orgs/northwind/keys?q={}", "a".repeat(200))).await.status, 200);
    }

    async fn a_service_token_with_a_wrong_checksum_is_refused_without_the_database(app: &TestApp) {
        let token = app.service_token().await;
        let last = if token.expose().ends_with('0') { '1' } else { '0' };
        let wrong = format!("{}{last}", &token.expose()[..token.expose().len() - 1]);
        app.engine.db().close().await;
        let answer = app.post_verify(Some(&latchkey::key::text::PlainKey::from_presented(wrong)), "{}").await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }

    async fn a_form_that_cannot_be_read_is_400_with_and_without_javascript(app: &TestApp) {
        let browser = app.browser();
        for accept in ["application/json", "text/html"] {
            for form in ["email=a", "email[a][b]=x&password=%ff&next=", "="] {
                let request = browser.request(Method::POST, "/sign-in").header(header::ACCEPT, accept);
                let answer = browser.send(request, form).await;
                assert_eq!(answer.status, 400, "{accept} {form}: {}", answer.body);
            }
        }
    }

    async fn a_list_of_agents_is_paged_and_names_one_domain_of_each(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let domains: Vec<String> = (0..500).map(|number| format!("shop{number}.example")).collect();
        let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
        for number in 0..60 {
            create_agent(&app.engine, &org.permit(), &agent(&format!("Agent {number:02}"), &domains)).await.unwrap();
        }
        let first = owner.get("/orgs/northwind/agents").await;
        assert!(first.text().contains("60 agents") && first.text().contains("shop0.example and 499 more"), "{}", first.body);
        assert!(first.body.len() < LARGEST_PAGE, "{}", first.body.len());
        let next = first.body.split("href=\"").find(|link| link.starts_with("/orgs/northwind/agents?after=")).unwrap();
        let rest = owner.get(next.split('"').next().unwrap()).await.text();
        assert!(rest.contains("Agent 59") && rest.contains("Agent 50") && !rest.contains("Agent 49"), "{rest}");
        assert!(!rest.contains("rel=\"next\""), "{rest}");
    }

    async fn a_form_of_unstated_length_that_is_too_large_is_413(app: &TestApp) {
        let browser = app.browser();
        for accept in ["application/json", "text/html"] {
            let request = browser.request(Method::POST, "/sign-in").header(header::ACCEPT, accept)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = browser.send_raw(request, "a".repeat(600 * 1024)).await;
            assert_eq!(answer.status, 413, "{accept}: {}", answer.body);
        }
    }

    async fn an_unknown_service_token_is_looked_up_once(app: &TestApp) {
        let unknown = latchkey::key::text::PlainKey::generate("lk_service_", 26, &latchkey::random::Randomness::seeded(7)).unwrap();
        assert_eq!(app.post_verify(Some(&unknown), "{}").await.status, 401);
        app.engine.db().close().await;
        assert_eq!(app.post_verify(Some(&unknown), "{}").await.status, 401);
    }

    async fn many_sign_ups_from_one_network_wait_in_a_short_queue_and_then_for_minutes(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Owner).await;
        let engine = app.another_engine(|settings| settings.sign_up = latchkey::accounts::SignUpPolicy::Open).await;
        let sign_ups: Vec<_> = (0..40).map(|number| {
            let browser = app.browser_on(&engine);
            tokio::spawn(async move {
                let email = format!("person{number}@example.com");
                let fields = [("name", "N"), ("email", &*email), ("org_name", "O"), ("password", "granite teapot sings")];
                browser.submit("/sign-up", &fields).await
            })
        }).collect();
        let (mut busy, mut throttled) = (0, 0);
        for answer in sign_ups {
            let answer = answer.await.unwrap();
            if answer.status == 503 {
                assert_eq!(answer.header("retry-after"), "2", "{answer:?}");
                busy += 1;
            } else if answer.status == 429 {
                assert!(answer.text().contains("Too many attempts. Try again in 15 minutes."), "{}", answer.body);
                throttled += 1;
            }
        }
        assert!(busy + throttled >= 30, "{busy} and {throttled} of 40 must retry later");
        let users = app.database.number("SELECT COUNT(*) FROM users").await;
        assert_eq!(users - 1 + busy + throttled, 40);
    }
}

/// Comma-separated items `0…`, `1…`, and so on that take about this many bytes.
fn numbered(bytes: usize, end: &str) -> String {
    let mut text = String::with_capacity(bytes + 32);
    for number in 0_u32.. {
        write!(text, "{number}{end},").unwrap();
        if text.len() >= bytes / 2 {
            break;
        }
    }
    text
}

pub async fn upload(browser: &crate::test_app::Browser, format: &str, file: &str) -> HttpAnswer {
    let request = browser
        .request(Method::POST, "/orgs/northwind/keys/import")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"format\"\r\n\r\n{format}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"keys\"\r\n\r\n{file}\r\n--b--\r\n"
    );
    browser.send_raw(request, body).await
}

fn few_problems(answer: &HttpAnswer, list: &str) {
    let shown = answer.text();
    assert_eq!(answer.status, 200, "{list}");
    assert!(shown.contains("The key cannot be imported"), "{list}");
    let problems = shown.matches("<p class=\"error\">").count();
    assert!((1..=22).contains(&problems), "{list}: {problems}");
}

async fn nothing_was_made(org: &TestOrg) {
    let names = org.names(KeyQuery::default()).await;
    let made: Vec<&String> = names.iter().filter(|name| *name == "One").collect();
    assert!(made.is_empty(), "{names:?}");
}
