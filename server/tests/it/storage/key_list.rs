//! Searching, filtering and sorting keys.

use latchkey::{
    key::{Environment, RevokeReason, Status, settings::SettingsChange},
    keys::{
        change_state::{disable, revoke},
        create::NewKey,
        list::{KeyQuery, SortBy, StatusFilter},
        rotate::{Rotation, rotate},
    },
    projects,
    time::{DAY, HOUR, SECOND},
};

use crate::test_app::{
    NOON, TestApp, TestOrg,
    org::{secret_key, widget_key, with},
};

on_both! {
    async fn the_last_four_characters_of_a_replaced_secret_find_its_key(app: &TestApp) {
        let org = app.org("northwind").await;
        let (old, _) = (org.key("Production").await, org.key("Staging").await);
        let overlap = Rotation { overlap: 0, token: None };
        rotate(&app.engine, &org.permit(), old.id, overlap).await.unwrap();
        let plain = old.plain.expose();
        let last_four = &plain[plain.len() - 4..];
        for typed in [last_four.to_owned(), last_four.to_uppercase(), last_four.to_lowercase()] {
            assert_eq!(found(&org, &typed).await, ["Production"], "{typed}");
        }
        let names_only = KeyQuery { search: last_four.parse().unwrap(), names_only: true, ..KeyQuery::default() };
        assert_eq!(org.names(names_only).await, Vec::<String>::new());
    }

    async fn who_cannot_see_details_cannot_filter_by_project(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        org.create_key(with(secret_key("One"), |settings| settings.project = Some(shop))).await.unwrap();
        org.key("Two").await;
        let query = KeyQuery { project: Some(shop), sort: SortBy::Name, ..KeyQuery::default() };
        assert_eq!(org.names(query.clone()).await, ["One"]);
        assert_eq!(org.names(KeyQuery { names_only: true, ..query }).await, ["One", "Two"]);
    }

    async fn notes_are_found_however_a_program_composed_them(app: &TestApp) {
        let org = app.org("northwind").await;
        org.create_key(with(secret_key("One"), |settings| settings.notes = "Cafe\u{301}".to_owned())).await.unwrap();
        for typed in ["café", "cafe\u{301}"] {
            assert_eq!(found(&org, typed).await, ["One"], "{typed}");
        }
    }

    async fn a_search_finds_names_however_a_keyboard_composes_them(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("Cafés").await;
        for typed in ["cafés", "cafe\u{301}s"] {
            let query = KeyQuery { search: typed.parse().unwrap(), ..KeyQuery::default() };
            assert_eq!(org.names(query).await, ["Cafés"], "{typed}");
        }
    }

    async fn a_search_finds_a_part_of_a_greek_name_in_capitals(app: &TestApp) {
        let org = app.org("northwind").await;
        org.key("ΔΙΑΚΟΜΙΣΤΗΣ ΘΕΣΕΩΝ").await;
        for typed in ["ΚΟΜΙΣ", "κομιστής".replace('ή', "η").as_str(), "ΣΤΗΣ Θ", "θεσ", "ΘΕΣ"] {
            assert_eq!(found(&org, typed).await, ["ΔΙΑΚΟΜΙΣΤΗΣ ΘΕΣΕΩΝ"], "{typed}");
        }
        // As an earlier version stored it, before the migration.
        app.database.execute("UPDATE keys SET search = REPLACE(search, 'στησ ', 'στης ')").await;
        assert_eq!(found(&org, "ΣΤΗΣ Θ").await, [""; 0]);
        let migrate = include_str!("../../../../migrations/sqlite/0018_sigma.sql");
        app.database.execute(migrate).await;
        assert_eq!(found(&org, "ΣΤΗΣ Θ").await, ["ΔΙΑΚΟΜΙΣΤΗΣ ΘΕΣΕΩΝ"]);
    }

    async fn noncharacters_are_the_same_to_a_search_on_both_databases(app: &TestApp) {
        let org = app.org("northwind").await;
        for (name, notes) in [("One", "a\u{fffd}b"), ("Two", "a\u{fffe}b"), ("Three", "a\u{ffff}b"), ("Four", "axb")] {
            org.create_key(with(secret_key(name), |settings| settings.notes = notes.to_owned())).await.unwrap();
        }
        for searched in ["\u{fffd}", "A\u{fffe}", "\u{ffff}b"] {
            let query = KeyQuery { search: searched.parse().unwrap(), ..KeyQuery::default() };
            assert_eq!(org.names(query).await.len(), 3, "{searched:?}");
        }
    }

    async fn a_search_finds_notes_in_any_script_but_not_for_members(app: &TestApp) {
        let org = app.org("northwind").await;
        let noted = with(secret_key("Staging"), |settings| settings.notes = "Für die ÄRZTE\u{1f}ΘΕΣΕΩΝ".to_owned());
        org.create_key(noted).await.unwrap();
        for typed in ["ärzte", "ΘΈΣΕΩΝ".replace('Έ', "Ε").as_str(), "staging"] {
            assert_eq!(found(&org, typed).await, ["Staging"], "{typed}");
            let query = KeyQuery { search: typed.parse().unwrap(), names_only: true, ..KeyQuery::default() };
            let expected: &[&str] = if typed == "staging" { &["Staging"] } else { &[] };
            assert_eq!(org.names(query).await, expected, "{typed}");
        }
        // As an earlier version stored it, before the migration.
        app.database.execute("UPDATE keys SET search = 'staging\u{1f}lk_', notes = 'For Doctors'").await;
        assert_eq!(found(&org, "doctors").await, [""; 0]);
        app.database.execute(include_str!("../../../../migrations/sqlite/0020_search_notes.sql")).await;
        assert_eq!(found(&org, "doctors").await, ["Staging"]);
    }

    async fn an_empty_list_has_no_pages(app: &TestApp) {
        let org = app.org("northwind").await;
        let query = KeyQuery { page_size: 50, ..KeyQuery::default() };
        let page = latchkey::keys::list::list(&app.engine, &org.permit(), &query).await.unwrap();
        assert_eq!((page.keys.len(), page.matching, page.previous, page.next), (0, 0, None, None));
    }

    async fn a_search_finds_part_of_a_name_or_of_the_display_form_in_any_case(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Größe PRODUCTION").await;
        org.key("Staging").await;
        let text = made.plain.expose();
        for search in ["duct", "DUCT", "größe", "GRÖSSE".replace("SS", "ß").as_str(), "  production ", &text[..15], &text[39..]] {
            assert_eq!(found(&org, search).await, ["Größe PRODUCTION"], "{search}");
        }
        assert_eq!(found(&org, "LK_SK_live_").await.len(), 2);
        assert_eq!(found(&org, "prod uction").await, [""; 0]);
    }

    async fn a_search_finds_an_external_id_and_a_whole_id_and_follows_what_changes(app: &TestApp) {
        let org = app.org("northwind").await;
        let new = with(secret_key("Production"), |settings| settings.external_id = Some(" Käufer_4711 ".to_owned()));
        let made = org.create_key(new).await.unwrap();
        org.key("Other").await;
        let id = made.id.to_string();
        for search in ["4711", "KÄUFER_4711", id.as_str()] {
            assert_eq!(found(&org, search).await, ["Production"], "{search}");
        }
        assert_eq!(found(&org, &id[..20]).await, [""; 0], "a part of an ID is no ID");
        app.clock.advance(2 * SECOND);
        rotate(&app.engine, &org.permit(), made.id, Rotation::default()).await.unwrap();
        assert_eq!(found(&org, "4711").await, ["Production"], "it is found after a rotation");
        org.edit(made.id, SettingsChange { external_id: Some(None), ..SettingsChange::default() }).await.unwrap();
        assert_eq!(found(&org, "4711").await, [""; 0]);
    }

    async fn a_list_of_one_external_id_has_its_keys_alone(app: &TestApp) {
        let org = app.org("northwind").await;
        for (name, id) in [("one", Some("user_1")), ("two", Some("user_1")), ("three", Some("user_11")), ("four", Some("USER_1")), ("five", None)] {
            let new = with(secret_key(name), |settings| settings.external_id = id.map(str::to_owned));
            org.create_key(new).await.unwrap();
        }
        let of = async |id: &str, names_only| {
            org.names(KeyQuery { external_id: Some(id.to_owned()), sort: SortBy::Name, names_only, ..KeyQuery::default() }).await.join(" ")
        };
        assert_eq!(of("user_1", false).await, "one two");
        assert_eq!(of(" user_11\n", false).await, "three", "it is read as it is when it is stored");
        for none in ["", "user", "user_%", "\0", "user_1\0", &"x".repeat(5_000)] {
            assert_eq!(of(none, false).await, "", "{none:?}");
        }
        assert_eq!(of("user_1", true).await, "", "those who may not know it learn nothing");
        assert_eq!(of("", true).await, "");
    }

    async fn a_search_takes_every_character_literally(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["100% of it", "100 of it", "snake_case", "snakeXcase", r"back\slash", "back/slash", "it's", "a\"b"] {
            org.key(name).await;
        }
        assert_eq!(found(&org, "100%").await, ["100% of it"]);
        assert_eq!(found(&org, "%").await, ["100% of it"]);
        assert_eq!(found(&org, "snake_c").await, ["snake_case"]);
        assert_eq!(found(&org, r"k\s").await, [r"back\slash"]);
        assert_eq!(found(&org, r"\").await, [r"back\slash"]);
        assert_eq!(found(&org, "'").await, ["it's"]);
        assert_eq!(found(&org, "\"").await, ["a\"b"]);
        assert_eq!(found(&org, "\0").await, [""; 0]);
        assert_eq!(found(&org, "' OR 1=1 --").await, [""; 0]);
    }

    async fn filters_let_through_what_they_say(app: &TestApp) {
        let org = one_of_each(app).await;
        let names = async |status, environment| org.names(KeyQuery {
            status, environment, sort: SortBy::Name, ..KeyQuery::default()
        }).await.join(", ");
        assert_eq!(
            names(StatusFilter::Any, None).await,
            "active, disabled, disabled and expired, expired, expires in 14 days, expires in 15 days, revoked"
        );
        assert_eq!(names(StatusFilter::Active, None).await, "active, expires in 14 days, expires in 15 days");
        assert_eq!(names(StatusFilter::Ended, None).await, "disabled and expired, expired, revoked");
        for (status, expected) in [
            (Status::Active, "active, expires in 14 days, expires in 15 days"), (Status::Disabled, "disabled"),
            (Status::Expired, "disabled and expired, expired"), (Status::Revoked, "revoked"),
        ] {
            assert_eq!(names(StatusFilter::Is(status), None).await, expected, "each key has one status, as its badge says");
        }
        assert_eq!(names(StatusFilter::Any, Some(Environment::Test)).await, "active");
        assert_eq!(names(StatusFilter::Ended, Some(Environment::Test)).await, "");
        let ended_named_disabled = KeyQuery {
            status: StatusFilter::Ended, search: "disabled".parse().unwrap(), ..KeyQuery::default()
        };
        assert_eq!(org.names(ended_named_disabled).await, ["disabled and expired"]);
    }

    async fn a_filter_and_a_status_say_the_same(app: &TestApp) {
        let org = one_of_each(app).await;
        let now = app.clock.now();
        for (filter, statuses) in [
            (StatusFilter::Active, vec![Status::Active]),
            (StatusFilter::Ended, vec![Status::Expired, Status::Revoked]),
        ] {
            let query = KeyQuery { status: filter, page_size: 50, ..KeyQuery::default() };
            let page = latchkey::keys::list::list(&app.engine, &org.permit(), &query).await.unwrap();
            assert!(page.keys.iter().all(|key| statuses.contains(&key.status(now))), "{filter:?}");
        }
    }

    async fn every_order_sorts_by_what_it_says(app: &TestApp) {
        let org = app.org("northwind").await;
        for (name, lives, used) in [("b", Some(3), Some(1)), ("A", None, None), ("c", Some(1), Some(3))] {
            let new = with(secret_key(name), |settings| settings.expires_at = lives.map(|days| NOON.plus(days * DAY)));
            let made = org.create_key(new).await.unwrap();
            if let Some(hours) = used {
                let at = NOON.plus(-hours * HOUR).as_millis();
                app.database.execute(&format!("UPDATE keys SET last_used_at = {at} WHERE id = '{}'", made.id)).await;
            }
            app.clock.advance(SECOND);
        }
        let sorted = async |sort, descending| {
            org.names(KeyQuery { sort, descending, ..KeyQuery::default() }).await.concat()
        };
        for (sort, ascending) in [
            (SortBy::Name, "Abc"),
            (SortBy::Created, "bAc"),
            (SortBy::LastUsed, "Acb"),
        ] {
            assert_eq!(sorted(sort, false).await, ascending, "{sort:?}");
            let descending: String = ascending.chars().rev().collect();
            assert_eq!(sorted(sort, true).await, descending, "{sort:?}");
        }
        // Keys without an expiry to wait for are last in both directions.
        let gone = with(secret_key("d"), |settings| settings.expires_at = Some(NOON.plus(2 * DAY)));
        let gone = org.create_key(gone).await.unwrap().id;
        assert_eq!(sorted(SortBy::Expires, false).await, "cdbA");
        revoke(&app.engine, &org.permit(), gone, RevokeReason::Unused).await.unwrap();
        assert_eq!(sorted(SortBy::Expires, false).await, "cbAd");
        assert_eq!(sorted(SortBy::Expires, true).await, "bcdA");
    }

    async fn names_are_in_one_order_on_both_databases(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["éclair", "Zebra", "apple", "_under", "Äpfel", "1st", "zebra 2", "-dash"] {
            org.key(name).await;
        }
        let names = org.names(KeyQuery { sort: SortBy::Name, ..KeyQuery::default() }).await;
        assert_eq!(names, ["-dash", "1st", "_under", "Äpfel", "apple", "éclair", "Zebra", "zebra 2"]);
    }

    async fn another_orgs_keys_are_not_listed(app: &TestApp) {
        let (northwind, contoso) = (app.org("northwind").await, app.org("contoso").await);
        northwind.key("Ours").await;
        contoso.key("Theirs").await;
        assert_eq!(northwind.names(KeyQuery::default()).await, ["Ours"]);
        assert_eq!(found(&northwind, "Theirs").await, [""; 0]);
    }
}

async fn found(org: &TestOrg, search: &str) -> Vec<String> {
    org.names(KeyQuery {
        search: search.parse().unwrap(),
        ..KeyQuery::default()
    })
    .await
}

/// Keys in every state, named after their state. The active one is a widget key of the test environment.
async fn one_of_each(app: &TestApp) -> TestOrg {
    let org = app.org("northwind").await;
    let expiring = |name, days| {
        with(secret_key(name), |settings| {
            settings.expires_at = Some(NOON.plus(days * DAY + HOUR))
        })
    };
    org.create_key(NewKey {
        environment: Environment::Test,
        ..widget_key("active", &["a.example"])
    })
    .await
    .unwrap();
    let disabled = org.key("disabled").await.id;
    let revoked = org.key("revoked").await.id;
    org.create_key(expiring("expired", 0)).await.unwrap();
    let both = org
        .create_key(expiring("disabled and expired", 0))
        .await
        .unwrap()
        .id;
    org.create_key(expiring("expires in 14 days", 14))
        .await
        .unwrap();
    org.create_key(expiring("expires in 15 days", 15))
        .await
        .unwrap();
    disable(&app.engine, &org.permit(), disabled).await.unwrap();
    disable(&app.engine, &org.permit(), both).await.unwrap();
    revoke(&app.engine, &org.permit(), revoked, RevokeReason::Unused)
        .await
        .unwrap();
    app.clock.advance(HOUR);
    org
}
