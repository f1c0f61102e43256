//! Importing keys on a page: preview, then import.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{Method, header},
};
use futures_util::stream;
use latchkey::{role::Role, time::SECOND};
use tokio::{task::yield_now, time::timeout};

use crate::test_app::{TestApp, said};

const IMPORT: &str = "/orgs/northwind/keys/import";
/// The SHA-256 of a key.
const DIGEST: &str = "a5d6ad5ae0ad7d1e6a4d1aa0d8aa37c5df3a4a4c5ad75d1e6a4d1aa0d8aa37c5";

on_both! {
    async fn a_file_is_looked_at_and_then_imported(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        assert_eq!(owner.get(IMPORT).await.status, 200);
        let bad = format!("name,sha256\nOld,{DIGEST}\n<b>Wrong</b>,abc\n");
        let told = owner.submit(IMPORT, &[("format", "csv"), ("text", &bad), ("go", "import")]).await;
        assert!(told.text().contains("1 of 2 keys cannot be imported") && told.text().contains("64 hexadecimal digits"), "{}", told.body);
        assert!(!told.text().contains("<b>Wrong"), "{}", told.body);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);

        let good = format!("name,sha256,prefix,last_four\nOld,{DIGEST},old_,wxyz\n");
        let looked = owner.submit(IMPORT, &[("format", "csv"), ("text", &good)]).await;
        assert!(looked.text().contains("1 key is ready to import. Nothing has been imported yet.") && looked.text().contains("old_••••••••wxyz"), "{}", looked.body);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        let done = owner.submit(IMPORT, &[("format", "csv"), ("text", &good), ("go", "import")]).await;
        assert!(done.text().contains("1 key imported."), "{}", done.body);
        let again = owner.submit(IMPORT, &[("format", "csv"), ("text", &good), ("go", "import")]).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, "/orgs/northwind/keys"), "the same submit again");
        assert!(owner.get("/orgs/northwind/keys").await.text().contains("1 key imported."));
        let other = good.replace("Old", "Other");
        let known = owner.submit(IMPORT, &[("format", "csv"), ("text", &other), ("go", "import")]).await;
        assert!(known.text().contains("already exists"), "{}", known.body);
        app.clock.advance(30 * SECOND);
        let later = owner.submit(IMPORT, &[("format", "csv"), ("text", &good), ("go", "import")]).await;
        assert!(later.text().contains("already exists"), "{}", later.body);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    async fn the_sample_file_can_be_imported(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let page = owner.get(IMPORT).await;
        let (_, rest) = page.body.split_once("data:text/csv;charset=utf-8,").expect("a sample");
        let sample = rest.split('"').next().unwrap();
        // Only what an URL cannot contain is escaped.
        let sample = sample.replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n").replace("%20", " ");
        assert!(sample.starts_with("name,sha256,prefix,last_four,environment,kind,project,expires_at,"), "{sample}");
        let looked = owner.submit(IMPORT, &[("format", "csv"), ("text", &sample)]).await;
        assert!(looked.text().contains("1 key is ready to import.") && looked.text().contains("old_••••••••mple"), "{}", looked.body);
    }

    async fn json_as_csv_is_recognized(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let json = format!("\u{feff} [{{\"name\": \"Old\", \"sha256\": \"{DIGEST}\"}}]");
        let told = owner.submit(IMPORT, &[("format", "csv"), ("text", &json)]).await;
        assert!(told.text().contains("This is JSON, not CSV. Choose JSON as the format."), "{}", told.body);
    }

    async fn a_file_that_is_not_kept_on_the_page_is_asked_for_by_the_browser(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let lines: String = (0..2_000u32).map(|number| format!("Key {number},{:0>64}\n", format!("{number:x}"))).collect();
        let large = owner.submit(IMPORT, &[("format", "csv"), ("text", &format!("name,sha256\n{lines}"))]).await;
        assert!(large.text().contains("2,000 keys are ready to import.") && large.text().contains("Select it again to import it."), "{}", large.text());
        // Otherwise, the browser would submit the form without the required file.
        assert!(!large.body.contains("novalidate") && large.body.contains("required"), "{}", large.body);
    }

    async fn a_file_can_be_uploaded_and_be_larger_than_other_forms(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let lines: String = (0..2_000u32).map(|number| format!("Key {number},{:0>64}\n", format!("{number:x}"))).collect();
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"format\"\r\n\r\ncsv\r\n--b\r\n\
             Content-Disposition: form-data; name=\"text\"\r\n\r\n\r\n--b\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"keys.csv\"\r\nContent-Type: text/csv\r\n\r\n\
             name,sha256\n{lines}\r\n--b\r\nContent-Disposition: form-data; name=\"go\"\r\n\r\nimport\r\n--b--\r\n"
        );
        assert!(body.len() > 128 * 1024);
        let request = owner.request(Method::POST, IMPORT).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
        let done = owner.send_raw(request, body).await;
        assert!(done.text().contains("2,000 keys imported."), "{}", done.body);
        let request = owner.request(Method::POST, IMPORT).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
        let too_large = owner.send_raw(request, "x".repeat(5 * 1024 * 1024)).await;
        assert!(too_large.status.is_client_error(), "{}", too_large.status);
    }

    async fn the_list_shows_imported_keys_in_the_order_of_the_file(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let lines: String = (0..50u32).map(|number| format!("Key {number:02},{:0>64}\n", format!("{number:x}"))).collect();
        owner.submit(IMPORT, &[("format", "csv"), ("text", &format!("name,sha256\n{lines}")), ("go", "import")]).await;
        let list = owner.get("/orgs/northwind/keys").await.body;
        let places: Vec<usize> = (0..50).map(|number| list.find(&format!(">Key {number:02}<")).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    async fn the_preview_says_what_each_key_becomes(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let file = format!(
            "name;sha256;prefix;kind;domains;expires_at;\r\nServer;{DIGEST};lk_sk_test_;;;9999-12-31;\r\n\
             Shop;{};;widget;shop.example;;\r\n;;;;;;\r\n", DIGEST.replace('5', "6"),
        );
        let looked = owner.submit(IMPORT, &[("format", "csv"), ("text", &file)]).await;
        let cells: Vec<&str> = looked.body.split("data-label=\"").skip(1)
            .filter_map(|cell| cell.split("</td>").next()).collect();
        let cell = |label: &str, text: &str| cells.iter().filter(|cell| cell.starts_with(label) && cell.contains(text)).count();
        assert_eq!((cell("Type", "Secret"), cell("Environment", "Test"), cell("Expires", "Dec 31, 9999")), (1, 1, 1), "{cells:?}");
        assert_eq!((cell("Type", "Widget"), cell("Environment", "Live"), cell("Expires", "Never")), (1, 1, 1), "{cells:?}");
        assert!(looked.text().contains("1 key has warnings."), "{}", looked.body);
        assert_eq!((cell("Scopes", "Full access"), cell("Result", "Visitors can read this key")), (2, 1), "{cells:?}");
        let scoped = format!("name,sha256,scopes\nReader,{DIGEST},bots:read\n");
        let scoped = owner.submit(IMPORT, &[("format", "csv"), ("text", &scoped)]).await.text();
        assert!(scoped.contains(">bots:read</td>") && scoped.contains("No known prefix: imported as a live secret key."), "{scoped}");
        let bad = format!("name,sha256\nOld,{DIGEST}\nWrong,abc\n");
        let told = owner.submit(IMPORT, &[("format", "csv"), ("text", &bad)]).await;
        assert_eq!(told.body.matches("data-label=\"Type\"").count(), 1, "{}", told.body);
    }

    async fn bytes_that_are_no_text_are_rejected_in_files_and_in_forms(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let multipart = async |part: &str, content: &[u8]| {
            let mut body = format!(
                "--b\r\nContent-Disposition: form-data; name=\"format\"\r\n\r\ncsv\r\n--b\r\n\
                 Content-Disposition: form-data; name=\"go\"\r\n\r\nimport\r\n--b\r\n\
                 Content-Disposition: form-data; name=\"{part}\"; filename=\"keys.csv\"\r\n\r\n"
            ).into_bytes();
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n--b--\r\n");
            let request = owner.request(Method::POST, IMPORT).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
            owner.send_raw(request, body).await
        };
        let text = format!("name,sha256\nCafé,{DIGEST}\n");
        let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for part in ["file", "text"] {
            let answer = multipart(part, &latin).await;
            assert_eq!(answer.status, 422, "{part}");
            assert!(answer.text().contains("choose “CSV UTF-8” as the file type"), "{part}: {}", answer.body);
        }
        for (path, fields) in [(IMPORT, "format=csv&go=import&text=name,sha256%0ACaf%E9,"), ("/orgs/northwind/keys/new", "kind=secret&name=Caf%E9")] {
            let request = owner.request(Method::POST, path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = owner.send_raw(request, fields).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        let utf_16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let answer = multipart("file", &utf_16).await;
        assert!(answer.text().contains("1 key imported."), "{}", answer.body);
        assert_eq!(app.database.texts("SELECT name FROM keys").await, ["Café"]);
    }

    async fn what_is_no_file_is_refused_with_a_reason(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (fields, sentence) in [
            ([("format", "csv"), ("text", " ")], "Choose a file or paste its contents."),
            ([("format", "xml"), ("text", "x")], "Choose the format of the file."),
            ([("format", "json"), ("text", "{")], "The file is not valid JSON"),
            ([("format", "csv"), ("text", "name,sha256")], "contains no keys"),
        ] {
            let answer = owner.submit(IMPORT, &fields).await;
            assert!(answer.status == 422 && answer.text().contains(sentence), "{fields:?}: {}", answer.body);
        }
        let made = org.key("Production").await;
        assert_eq!(said(&app.verify(&made.plain).await), "VALID");
    }

    async fn a_file_of_very_many_parts_or_a_header_without_end_is_refused_and_keeps_no_thread_busy(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let import = |boundary: &str| {
            let content_type = format!("multipart/form-data; boundary={boundary}");
            owner.request(Method::POST, IMPORT).header(header::CONTENT_TYPE, content_type)
        };
        let parts = |count: usize, boundary: &str| {
            let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n");
            format!("{}--{boundary}--\r\n", part.repeat(count))
        };
        let long = "b".repeat(71);
        for (count, boundary, status) in [(8, "b", 422), (9, "b", 400), (1, &long[1..], 422), (1, &*long, 400)] {
            let answer = owner.send_raw(import(boundary), parts(count, boundary)).await;
            assert_eq!(answer.status, status, "{count} parts, {boundary}: {}", answer.body);
        }
        let pieces = stream::unfold(0, async |piece| {
            yield_now().await;
            let text = if piece == 0 { "--b\r\n".to_owned() } else { "a: b\r\n".repeat(10) };
            (piece < 32_000).then_some((Ok::<_, Infallible>(text), piece + 1))
        });
        let answer = timeout(Duration::from_secs(3), owner.send_raw(import("b"), Body::from_stream(pieces))).await;
        assert_eq!(answer.expect("data that has arrived is scanned only once").status, 400);
    }
}
