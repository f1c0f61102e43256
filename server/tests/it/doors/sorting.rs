//! Lists of names are sorted alphabetically, in the same order on both databases.

use latchkey::{
    agents::{self, show::Place},
    db::Db,
    keys::list::{KeyQuery, SortBy},
    members, projects,
    role::Role,
};
use serde_json::json;

use crate::test_app::{TestApp, org::agent};

/// Sorted.
const NAMES: [&str; 12] = [
    "1st",
    "Apple",
    "apple",
    "Ärger",
    "Éclair",
    "état",
    "lamp",
    "Łódź",
    "Öl",
    "Zebra",
    "Яблоко",
    "北京",
];

/// The names in an order that is neither sorted nor byte order.
fn shuffled() -> impl Iterator<Item = &'static str> {
    (0..NAMES.len()).map(|place| NAMES[place * 5 % NAMES.len()])
}

on_both! {
    async fn keys_are_sorted_on_every_page_in_both_directions(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in shuffled() {
            org.key(name).await;
        }
        let by_name = KeyQuery { sort: SortBy::Name, ..KeyQuery::default() };
        assert_eq!(org.names(by_name.clone()).await, NAMES);
        let (api, owner) = (app.api().await, app.signed_in(&org, "dana", Role::Owner).await);
        for (order, expected) in [("asc", NAMES.to_vec()), ("desc", NAMES.into_iter().rev().collect())] {
            let (mut found, mut cursor) = (vec![], String::new());
            loop {
                let page = api.get(&format!("/v1/orgs/northwind/keys?sort=name&order={order}&limit=5{cursor}")).await.json();
                found.extend(page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(found, expected, "{order}");
        }
        let page = owner.get("/orgs/northwind/keys?sort=name").await.text();
        let places: Vec<Option<usize>> = NAMES.iter().map(|name| page.find(&format!(">{name}</a>"))).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
        let id = app.database.texts("SELECT id FROM keys WHERE name = 'lamp'").await.remove(0);
        api.patch(&format!("/v1/orgs/northwind/keys/{id}"), &json!({"name": "Über"})).await;
        assert_eq!(org.names(by_name).await[8..10], ["Über", "Zebra"]);
    }

    async fn agents_projects_members_and_orgs_are_sorted_too(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in shuffled() {
            agents::create::create(&app.engine, &org.permit(), &agent(name, &[])).await.unwrap();
            projects::create(&app.engine, &org.permit(), &name.parse().unwrap()).await.unwrap();
        }
        let mut found: Vec<String> = vec![];
        let mut place = Place::Start;
        loop {
            let page = agents::show::summaries(&app.engine, &org.permit(), place, 5).await.unwrap();
            let Some(last) = page.last() else { break };
            place = Place::After(last.public_id);
            found.extend(page.iter().map(|agent| agent.name.to_string()));
        }
        assert_eq!(found, NAMES);
        let listed = agents::show::list(&app.engine, &org.permit(), Place::Start, 50).await.unwrap();
        assert_eq!(listed.iter().map(|agent| agent.summary.name.as_str()).collect::<Vec<_>>(), NAMES);
        let listed = projects::list(&app.engine, &org.permit()).await.unwrap();
        let names: Vec<&str> = listed.iter().map(|project| project.name.as_str()).collect();
        assert_eq!((names[0], &names[1..]), ("Default", &NAMES[..]));
        let choices = latchkey::keys::project::choices(&app.engine, &org.permit()).await.unwrap();
        assert_eq!(choices.iter().map(|choice| choice.name.as_str()).collect::<Vec<_>>(), names);

        for (name, role) in [("zoe", Role::Member), ("Änne", Role::Member), ("bo", Role::Member), ("yan", Role::Owner)] {
            let id = org.person("someone", role).await;
            app.database.execute(&format!("UPDATE users SET name = '{name}', email = '{id}@northwind.example' WHERE id = '{id}'")).await;
        }
        let members = members::list(&app.engine, &org.permit()).await.unwrap();
        assert_eq!(members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["yan", "Änne", "bo", "zoe"]);
    }

    async fn rows_from_before_the_column_are_sorted_after_the_next_start(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in shuffled() {
            org.key(name).await;
            agents::create::create(&app.engine, &org.permit(), &agent(name, &[])).await.unwrap();
        }
        for table in ["keys", "agents"] {
            app.database.execute(&format!("UPDATE {table} SET sort_name = ''")).await;
        }
        Db::open(&app.database.url()).await.unwrap().close().await;
        assert_eq!(org.names(KeyQuery { sort: SortBy::Name, ..KeyQuery::default() }).await, NAMES);
        let listed = agents::show::summaries(&app.engine, &org.permit(), Place::Start, 50).await.unwrap();
        assert_eq!(listed.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), NAMES);
    }
}
