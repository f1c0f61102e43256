//! Concurrent edits of the same object by two people: the changes of both are kept, and neither is silently lost.

use latchkey::{
    agents::{create::create, edit as agent_edit, show as show_agent},
    id::KeyId,
    key::RevokeReason,
    key::settings::SettingsChange,
    keys::{Key, change_state::revoke, show},
    orgs::settings::{self, OrgSettings},
    projects,
    revision::Known,
    role::Role,
};

use crate::test_app::{
    HttpAnswer, TestApp, TestOrg,
    org::{agent, secret_key, with},
};

type Field<'a> = (&'a str, &'a str);

on_both! {
    async fn fields_that_two_people_change_are_both_kept(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, path) = key(&org).await;
        let base = owner.get(&path).await.hidden("base");
        org.edit(id, SettingsChange { scopes: Some(scopes(&["bots:read"])), ip_ranges: Some(vec!["10.0.0.0/8".parse().unwrap()]), ..SettingsChange::default() }).await.unwrap();
        // The order of scopes is that of the form, not that of the key.
        let fields = [("base", base.as_str()), ("name", "Renamed"), ("scopes", "bots:read"), ("scopes", "bots:write"), ("expires", "keep"), ("notes", "Ask\r\nDana ")];
        assert_eq!(owner.submit(&path, &fields).await.status, 303);
        let stored = details(app, &org, id).await;
        assert_eq!((stored.summary.name.as_str(), stored.settings.scopes.len(), stored.settings.ip_ranges.len()), ("Renamed", 1, 1));
        assert_eq!(stored.settings.notes, "Ask\nDana");
        let entries = app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'key.updated'").await;
        let unchanged = owner.get(&path).await.hidden("base");
        let again = [("base", unchanged.as_str()), ("name", "Renamed"), ("scopes", "bots:read"), ("expires", "keep"), ("ip_ranges", "10.0.0.0/8"), ("notes", "Ask\r\nDana")];
        assert_eq!(owner.submit(&path, &again).await.status, 303);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM audit_log WHERE event = 'key.updated'").await, entries, "nothing changed");
    }

    async fn a_field_that_two_people_change_is_shown_with_both_values(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, path) = key(&org).await;
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        let base = owner.get(&path).await.hidden("base");
        let theirs = SettingsChange {
            name: Some("Their <name>".parse().unwrap()),
            scopes: Some(Vec::new()),
            ip_ranges: Some(vec!["10.0.0.0/8".parse().unwrap()]),
            project: Some(shop),
            ..SettingsChange::default()
        };
        org.edit(id, theirs).await.unwrap();
        let before = details(app, &org, id).await.tag();
        let mine = [("name", "My name"), ("scopes", "bots:read"), ("expires", "30"), ("ip_ranges", ""), ("notes", "Mine")];
        let page = owner.submit(&path, &with_base(&base, &mine)).await;
        assert_eq!(page.status, 409);
        for part in [
            "Someone else changed this key while you were editing.", "Nothing was changed.", "value=\"My name\"",
            "The current value is “Their &lt;name&gt;”.", "The current value is empty.", ">\nMine</textarea>",
        ] {
            assert!(page.text().contains(part), "{part}: {}", page.body);
        }
        assert_eq!(page.body.matches("<p class=\"error\">").count(), 2, "name and scopes, not notes or expiry");
        assert!(page.body.contains(">\n10.0.0.0/8</textarea>"), "the form has their change: {}", page.body);
        assert!(page.body.contains(&format!("value=\"{shop}\" selected")), "{}", page.body);
        assert!(page.body.contains("value=\"30\" selected"), "{}", page.body);
        assert_eq!(details(app, &org, id).await.tag(), before, "nothing was changed");

        let shop = shop.to_string();
        let seen = [("name", "My name"), ("scopes", "bots:read"), ("expires", "30"), ("ip_ranges", "10.0.0.0/8"), ("notes", "Mine"), ("project", shop.as_str())];
        let saved = owner.submit(&path, &with_base(&page.hidden("base"), &seen)).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        let stored = details(app, &org, id).await;
        assert_eq!((stored.summary.name.as_str(), stored.settings.scopes.len(), stored.settings.ip_ranges.len()), ("My name", 1, 1));
        assert_eq!((stored.settings.notes.as_str(), stored.project_name.as_str()), ("Mine", "Shop"));
        assert!(stored.summary.lifecycle.expires_at.is_some());

        let other = [("name", "Another name"), ("scopes", "bots:read"), ("expires", "30"), ("ip_ranges", ""), ("notes", "Mine")];
        let page = owner.submit(&path, &with_base(&base, &other)).await;
        assert!(page.text().contains("You changed this key in another tab or window while you were editing here."), "{}", page.body);
        let ari = app.signed_in(&org, "ari", Role::Owner).await;
        let theirs = [("name", "Ari's name"), ("scopes", "bots:read"), ("expires", "keep"), ("ip_ranges", "10.0.0.0/8"), ("notes", "Mine"), ("project", shop.as_str())];
        assert_eq!(ari.submit(&path, &with_base(&ari.get(&path).await.hidden("base"), &theirs)).await.status, 303);
        let page = owner.submit(&path, &with_base(&base, &other)).await;
        assert!(page.text().contains("ari changed this key while you were editing."), "{}", page.body);
    }

    async fn the_same_change_by_two_people_is_no_conflict(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, path) = key(&org).await;
        let base = owner.get(&path).await.hidden("base");
        org.edit(id, SettingsChange { scopes: Some(scopes(&["bots:read"])), ..SettingsChange::default() }).await.unwrap();
        let fields = [("base", base.as_str()), ("name", "Production"), ("scopes", "bots:read"), ("expires", "keep"), ("notes", "Ask Dana")];
        assert_eq!(owner.submit(&path, &fields).await.status, 303);
    }

    async fn a_form_that_says_nothing_of_what_it_was_served_with_replaces_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, path) = key(&org).await;
        let before = details(app, &org, id).await.tag();
        for base in ["", "name:x", "\0,:,<b>"] {
            let fields = [("base", base), ("name", "Other"), ("scopes", "bots:read"), ("expires", "keep"), ("notes", "Ask Dana")];
            let page = owner.submit(&path, &fields).await;
            assert_eq!((page.status.as_u16(), page.body.matches("<p class=\"error\">").count()), (409, 2), "{}", page.body);
            assert!(page.text().contains("The current value is “bots:write, bots:read”."), "{}", page.body);
        }
        assert_eq!(details(app, &org, id).await.tag(), before);
    }

    async fn a_key_that_was_revoked_meanwhile_is_not_changed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, path) = key(&org).await;
        let base = owner.get(&path).await.hidden("base");
        org.edit(id, SettingsChange { name: Some("Theirs".parse().unwrap()), ..SettingsChange::default() }).await.unwrap();
        revoke(&app.engine, &org.permit(), id, RevokeReason::Unused).await.unwrap();
        let fields = [("base", base.as_str()), ("name", "Mine"), ("access", "full"), ("expires", "keep")];
        let page = owner.submit(&path, &fields).await;
        assert!(page.status == 422 && page.text().contains("This key is revoked"), "{page:?}");
        assert_eq!(org.summary(id).await.name.as_str(), "Theirs");
    }

    async fn an_agents_form_keeps_what_others_changed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = create(&app.engine, &org.permit(), &agent("Support", &["shop.example"])).await.unwrap().public_id;
        let path = format!("/orgs/northwind/agents/{id}");
        let base = owner.get(&path).await.hidden("base");
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        let theirs = agent_edit::EditAgent { domains: Some(vec!["other.example".parse().unwrap()]), project: Some(Some(shop)), ..Default::default() };
        agent_edit::edit(&app.engine, &org.permit(), id, theirs).await.unwrap();
        // When the form was loaded, there was only one project, so the form had no field for the project.
        let renamed = owner.submit(&path, &with_base(&base, &[("name", "Helper"), ("domains", "shop.example")])).await;
        assert_eq!(renamed.status, 303, "{}", renamed.body);
        let stored = async || show_agent::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        let agent = stored().await;
        assert_eq!((agent.summary.name.as_str(), agent.domains[0].to_string().as_str(), agent.project_id), ("Helper", "other.example", shop));

        let mine = [("name", "Support"), ("domains", "mine.example")];
        let page = owner.submit(&path, &with_base(&base, &mine)).await;
        assert_eq!(page.status, 409);
        for part in ["Someone else changed this agent while you were editing.", "The current value is “other.example”.", ">\nmine.example</textarea>", "value=\"Helper\""] {
            assert!(page.text().contains(part), "{part}: {}", page.body);
        }
        assert_eq!(stored().await, agent);
        let mine = [("name", "Helper"), ("domains", "mine.example"), ("project", &shop.to_string())];
        assert_eq!(owner.submit(&path, &with_base(&page.hidden("base"), &mine)).await.status, 303);
        let agent = stored().await;
        assert_eq!((agent.summary.name.as_str(), agent.domains[0].to_string().as_str(), agent.project_id), ("Helper", "mine.example", shop));
    }

    async fn what_others_changed_shows_when_an_agents_form_is_refused_for_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let id = create(&app.engine, &org.permit(), &agent("Support", &["shop.example"])).await.unwrap().public_id;
        let path = format!("/orgs/northwind/agents/{id}");
        let base = owner.get(&path).await.hidden("base");
        let none = agent_edit::EditAgent { domains: Some(Vec::new()), ..Default::default() };
        agent_edit::edit(&app.engine, &org.permit(), id, none).await.unwrap();
        let fields = [("name", "Support"), ("domains", "shop.example"), ("public_embedding", "on")];
        let page = owner.submit(&path, &with_base(&base, &fields)).await;
        assert!(page.status == 422 && page.text().contains("Enter at least one domain."), "{page:?}");
        assert!(!page.body.contains(">\nshop.example</textarea>"), "the removed domain: {}", page.body);
        assert_eq!(owner.submit(&path, &with_base(&page.hidden("base"), &fields)).await.status, 303);
    }

    async fn the_settings_form_keeps_what_others_changed(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = "/orgs/northwind/settings";
        let base = owner.get(path).await.hidden("base");
        let theirs = OrgSettings { name: "northwind".parse().unwrap(), secrets_in_browsers: true };
        settings::change(&app.engine, &org.permit(), theirs, &Known::Nothing).await.unwrap();
        let mine = [("name", "Mine"), ("secrets_in_browsers", "refuse")];
        let saved = owner.submit(path, &with_base(&base, &mine)).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        let stored = async || settings::read(&app.engine, &org.permit()).await.unwrap();
        assert_eq!(stored().await, OrgSettings { name: "Mine".parse().unwrap(), secrets_in_browsers: true });

        let other = [("name", "Other"), ("secrets_in_browsers", "refuse")];
        let page = owner.submit(path, &with_base(&base, &other)).await;
        assert!(page.status == 409 && page.text().contains("The current value is “Mine”.") && page.body.contains("value=\"Other\""), "{page:?}");
        let again = [("name", "Other"), ("secrets_in_browsers", "allow")];
        assert_eq!(owner.submit(path, &with_base(&page.hidden("base"), &again)).await.status, 303);
        assert_eq!(stored().await, OrgSettings { name: "Other".parse().unwrap(), secrets_in_browsers: true });
    }

    async fn a_project_that_two_people_rename_is_shown_with_both_names(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let path = "/orgs/northwind/projects";
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        let id = shop.to_string();
        let base = owner.get(&format!("{path}?rename={id}")).await.hidden("base");
        projects::rename(&app.engine, &org.permit(), shop, &"Theirs".parse().unwrap(), &Known::Nothing).await.unwrap();
        let rename = |name| [("change", "rename"), ("project", id.as_str()), ("name", name)];
        let names = async || projects::list(&app.engine, &org.permit()).await.unwrap().pop().unwrap().name.to_string();
        assert_eq!(owner.submit(path, &with_base(&base, &rename("Shop"))).await.status, 303);
        assert_eq!(names().await, "Theirs", "a name that the person did not change is not reverted");
        let page = owner.submit(path, &with_base(&base, &rename("Mine"))).await;
        assert!(page.status == 409 && page.text().contains("The current value is “Theirs”.") && page.body.contains("value=\"Mine\""), "{page:?}");
        assert_eq!(names().await, "Theirs");
        assert_eq!(owner.submit(path, &with_base(&page.hidden("base"), &rename("Mine"))).await.status, 303);
        assert_eq!(names().await, "Mine");
    }

    async fn of_two_forms_sent_at_the_same_time_one_is_saved(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let (id, path) = key(&org).await;
        let base = owner.get(&path).await.hidden("base");
        let send = async |name: &'static str| {
            let fields = [("name", name), ("scopes", "bots:read"), ("scopes", "bots:write"), ("expires", "keep"), ("notes", "Ask Dana")];
            owner.submit(&path, &with_base(&base, &fields)).await
        };
        let (one, two) = tokio::join!(send("One"), send("Two"));
        let statuses = |answers: [&HttpAnswer; 2]| answers.map(|answer| answer.status.as_u16());
        let saved = match statuses([&one, &two]) {
            [303, 409] => "One",
            [409, 303] => "Two",
            other => panic!("{other:?}"),
        };
        assert_eq!(org.summary(id).await.name.as_str(), saved);
    }
}

/// A key, and the URL of the form that edits it.
async fn key(org: &TestOrg) -> (KeyId, String) {
    let new = with(secret_key("Production"), |settings| {
        settings.scopes = scopes(&["bots:write", "bots:read"]);
        settings.notes = "Ask Dana".to_owned();
    });
    let id = org.create_key(new).await.unwrap().id;
    (id, format!("/orgs/northwind/keys/{id}/edit"))
}

fn scopes(names: &[&str]) -> Vec<latchkey::convention::Scope> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn with_base<'a>(base: &'a str, fields: &[Field<'a>]) -> Vec<Field<'a>> {
    [&[("base", base)], fields].concat()
}

async fn details(app: &TestApp, org: &TestOrg, id: KeyId) -> Key {
    let key = show::details(&app.engine, &org.permit(), id).await;
    key.unwrap().unwrap()
}
