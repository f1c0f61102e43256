//! Under a convention, every page speaks of its kinds and environments alone.

use std::collections::BTreeSet;

use latchkey::{
    convention::{BUILT_IN_NAMES, Convention},
    key::{Environment, Kind},
    keys::create::NewKey,
    role::Role,
};

use crate::test_app::{
    TestApp,
    org::{secret_key, widget_key},
};

/// What people read in a page: its texts, labels and hints, without tags and scripts.
fn words_of(html: &str) -> String {
    let mut words = String::new();
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        if tag.starts_with("script") || tag.starts_with("style") {
            continue;
        }
        for attribute in ["placeholder=\"", "aria-label=\"", "title=\""] {
            if let Some((_, value)) = tag.split_once(attribute) {
                words += value.split('"').next().unwrap_or_default();
                words.push('\n');
            }
        }
        words += text;
        words.push('\n');
    }
    words
}

/// Texts that no page may contain, because they are of other conventions or of what this one does not have.
fn foreign(convention: &Convention) -> BTreeSet<String> {
    let others = BUILT_IN_NAMES
        .iter()
        .filter(|name| **name != convention.name);
    let others: Vec<_> = others
        .filter_map(|name| Convention::built_in(name))
        .collect();
    let mut foreign = BTreeSet::new();
    for other in &others {
        let variables = &other.environment_variables;
        foreign.extend(
            [Some(variables.secret.clone()), variables.widget.clone()]
                .into_iter()
                .flatten(),
        );
        let prefixes = other.prefixes().map(|(prefix, ..)| prefix.to_owned());
        foreign.extend(prefixes.filter(|prefix| !prefix.is_empty()));
    }
    let variables = &convention.environment_variables;
    let own = convention.prefixes().map(|(prefix, ..)| prefix.to_owned());
    let own: Vec<String> = own
        .chain([variables.secret.clone()])
        .chain(variables.widget.clone())
        .collect();
    foreign.retain(|text| !own.iter().any(|own| own.contains(text.as_str())));
    let kinds: BTreeSet<Kind> = convention.prefixes().map(|(_, kind, _)| kind).collect();
    for names in others.iter().map(|other| &other.kind_names) {
        for kind in [Kind::Secret, Kind::Widget] {
            let is_own =
                kinds.contains(&kind) && names.name(kind) == convention.kind_names.name(kind);
            if !is_own {
                foreign.insert(format!("{} key", names.name(kind)));
                foreign.insert(format!("{} key", names.title(kind)));
            }
        }
    }
    if !convention
        .prefixes()
        .any(|(.., environment)| environment == Environment::Test)
    {
        foreign.extend(["test key", "Test key"].map(str::to_owned));
    }
    foreign
}

/// Every page of an org with a key of each kind, as its owner sees it, with its words.
async fn pages(app: &TestApp) -> Vec<(String, String)> {
    let org = app.org("northwind").await;
    let owner = app.signed_in(&org, "dana", Role::Owner).await;
    let mut paths = vec!["/account".to_owned()];
    let pages = [
        "keys",
        "keys/new",
        "keys/import",
        "usage",
        "agents",
        "agents/new",
        "projects",
        "members",
        "audit",
        "settings",
        "tokens",
    ];
    paths.extend(pages.map(|page| format!("/orgs/northwind/{page}")));
    let kinds: BTreeSet<Kind> = app
        .engine
        .convention()
        .prefixes()
        .map(|(_, kind, _)| kind)
        .collect();
    for kind in kinds {
        let new: NewKey = match kind {
            Kind::Secret => secret_key("Backend"),
            Kind::Widget => widget_key("Shop", &["shop.example"]),
        };
        let id = org.create_key(new).await.unwrap().id;
        paths.extend(
            ["", "/edit", "/rotate"].map(|page| format!("/orgs/northwind/keys/{id}{page}")),
        );
    }
    let mut pages = vec![];
    for path in paths {
        let page = owner.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        pages.push((path, words_of(&page.text())));
    }
    pages
}

#[tokio::test]
async fn a_page_has_no_words_of_another_convention() {
    let mut all = vec![];
    for name in BUILT_IN_NAMES {
        let app = TestApp::on_sqlite_under(name).await;
        let foreign = foreign(app.engine.convention());
        for (path, words) in pages(&app).await {
            let found = foreign.iter().filter(|text| words.contains(text.as_str()));
            all.extend(found.map(|text| format!("{name}: {path}: {text}")));
        }
        app.remove().await;
    }
    assert!(all.is_empty(), "{all:#?}");
}
