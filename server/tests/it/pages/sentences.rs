//! What pages say reads as text: no space before a period or comma, as an empty part of a sentence would leave one.

use std::collections::{BTreeSet, VecDeque};

use latchkey::role::Role;
use latchkey_server::demo::{self, Size};

use crate::test_app::TestApp;

/// The elements within a line of text.
const INLINE: [&str; 12] = [
    "a", "abbr", "b", "code", "em", "kbd", "small", "span", "strong", "time", "wbr", "!",
];

/// The texts of a page, one for each block.
fn texts(html: &str) -> Vec<String> {
    let mut text = String::new();
    let mut hidden = "";
    for part in html.split('<').skip(1) {
        let (tag, after) = part.split_once('>').unwrap_or((part, ""));
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap();
        if !hidden.is_empty() {
            if tag.strip_prefix('/') == Some(hidden) {
                hidden = "";
            }
            continue;
        }
        match name {
            "script" | "style" | "svg" | "pre" | "textarea" if !tag.starts_with('/') => {
                hidden = name;
                continue;
            }
            name if INLINE.contains(&name) || tag.starts_with("!--") => {}
            _ => text.push('\n'),
        }
        text.push_str(after);
    }
    text.lines().map(str::to_owned).collect()
}

/// The texts of a page with a space before a period or comma.
pub fn misplaced(html: &str) -> Vec<String> {
    let is_wrong = |text: &String| {
        [" .", " ,"].iter().any(|wrong| {
            text.match_indices(wrong).any(|(at, _)| {
                let next = text[at + wrong.len()..].chars().next();
                next.is_none_or(char::is_whitespace)
            })
        })
    };
    texts(html).into_iter().filter(is_wrong).collect()
}

#[test]
fn a_space_before_a_period_is_found_and_others_are_not() {
    for (html, is_wrong) in [
        ("<p>With <code>x</code> .</p>", true),
        ("<p>One<!> <!>, two</p>", true),
        (
            "<p>With <code>x</code>. It is in <code>.env</code>, too</p>",
            false,
        ),
        ("<p>One </p><p>, two</p>", false),
        ("<p>1 <span>.5</span></p><script>a .</script>", false),
    ] {
        assert_eq!(!misplaced(html).is_empty(), is_wrong, "{html}");
    }
}

/// The pages that a page leads to, without what downloads a file.
fn links(html: &str) -> impl Iterator<Item = String> + use<'_> {
    let hrefs = html.split("<a ").skip(1).filter_map(|part| {
        let tag = part.split('>').next()?;
        let (_, href) = tag.split_once("href=\"")?;
        let href = href.split('"').next()?.replace("&amp;", "&");
        (!tag.contains(" download")).then_some(href)
    });
    hrefs.filter_map(|href| {
        let path = href.split('#').next().unwrap_or_default();
        let file = path.split('?').next().unwrap_or_default();
        let is_file = [".csv", ".json", "/export"]
            .iter()
            .any(|end| file.ends_with(end));
        (path.starts_with('/') && !is_file).then(|| path.to_owned())
    })
}

/// The shape of an address: pages with other IDs and values are the same page.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts = path.split('/').map(|part| match part.split_once('_') {
        Some((kind @ ("key" | "agt" | "prj" | "krq" | "org" | "usr"), _)) => kind,
        _ => part,
    });
    let names = query.split('&').filter_map(|pair| pair.split('=').next());
    let path: Vec<&str> = parts.collect();
    format!("{}?{}", path.join("/"), names.collect::<Vec<_>>().join("&"))
}

/// How many pages of one shape are opened. Keys in every state have their own sentences.
fn most(shape: &str) -> usize {
    if shape == "/orgs/northwind/keys/key?" {
        30
    } else {
        2
    }
}

#[tokio::test]
async fn no_sentence_of_a_demo_has_a_space_before_a_period() {
    let app = TestApp::on_sqlite_under("latchkey").await;
    app.set_time("2026-11-21T15:00:00Z");
    let size = Size {
        keys: 0,
        orgs: 1,
        days: 90,
        seed: 1,
    };
    let sign_ins = demo::fill(&app.engine, size, app.clock.now())
        .await
        .unwrap();
    app.database
        .execute("UPDATE users SET operator_since = 0 WHERE email = 'owner@northwind.example'")
        .await;
    let mut seen = BTreeSet::new();
    for role in Role::ALL {
        let browser = app.browser();
        let account = sign_ins
            .iter()
            .find(|account| account.role == role)
            .unwrap();
        let signed_in = browser.sign_in(&account.email, &account.password).await;
        assert_eq!(signed_in.status, 303);
        let mut waiting: VecDeque<String> = ["/", "/orgs/northwind/keys", "/account"]
            .map(str::to_owned)
            .into();
        let (mut opened, mut shapes) = (BTreeSet::new(), Vec::new());
        while let Some(path) = waiting.pop_front() {
            let shape = shape(&path);
            let is_enough = shapes.iter().filter(|other| **other == shape).count() >= most(&shape);
            if is_enough || !opened.insert(path.clone()) {
                continue;
            }
            shapes.push(shape.clone());
            let page = browser.get(&path).await;
            if page.status != 200 || !page.header("content-type").starts_with("text/html") {
                continue;
            }
            assert_eq!(misplaced(&page.body), [""; 0], "{role} at {path}");
            seen.insert(shape);
            waiting.extend(links(&page.body));
        }
    }
    assert!(seen.len() > 60, "it found its way: {seen:?}");
    app.remove().await;
}
