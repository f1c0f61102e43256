//! The pages of agents, projects and the org's settings, used as forms without JavaScript.

use latchkey::{
    agents::{AgentSettings, create::create, delete::delete, show},
    orgs::settings,
    projects,
    role::Role,
    verify::Request,
};

use crate::test_app::{Browser, HttpAnswer, TestApp, TestOrg, org::agent, said};

const AGENTS: &str = "/orgs/northwind/agents";
const PROJECTS: &str = "/orgs/northwind/projects";

on_both! {
    async fn a_form_that_is_sent_twice_creates_one_agent_and_one_project(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for (page, fields, table) in [
            ("/orgs/northwind/agents/new", ("name", "Support"), "agents"),
            ("/orgs/northwind/projects?new=1", ("change", "create"), "projects WHERE name <> 'Default'"),
        ] {
            let body = owner.get(page).await.body;
            let field = body.split("name=\"creation_token\"").nth(1).unwrap();
            let token = field.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
            let page = page.split('?').next().unwrap();
            let form = [fields, ("name", "Support"), ("creation_token", token)];
            let form = if fields.0 == "name" { &form[1..] } else { &form[..] };
            let [first, second] = [owner.submit(page, form).await, owner.submit(page, form).await];
            assert_eq!((first.status.as_u16(), first.header("location")), (303, second.header("location")), "{page}");
            assert_eq!(app.database.number(&format!("SELECT COUNT(*) FROM {table}")).await, 1, "{page}");
        }
    }

    async fn an_agent_is_made_changed_and_deleted(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let form = owner.get(&format!("{AGENTS}/new")).await.body;
        assert!(form.contains("Embedding") && form.contains(r#"action="/orgs/northwind/agents/new""#), "{form}");
        let fields = [("name", "Support"), ("domains", "shop.example\r\n*.shop.example"), ("public_embedding", "on")];
        let made = send(&owner, &format!("{AGENTS}/new"), &fields).await;
        let all = org.agents().await;
        let [stored] = all.as_slice() else { panic!("{all:?}") };
        let id = stored.summary.public_id.to_string();
        assert_eq!(made.header("location"), format!("{AGENTS}/{id}"));
        assert_eq!((stored.domains.len(), stored.public_embedding), (2, true));

        let page = owner.get(made.header("location")).await.body;
        for shown in ["Agent created.", &id, "shop.example\n*.shop.example", "Your API server verifies it:"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        let listed = owner.get(AGENTS).await.body;
        assert!(listed.contains("shop.example and 1 more") && listed.contains("Public ID only"), "{listed}");

        let page = format!("{AGENTS}/{id}");
        let (closed, asked) = (owner.get(&page).await.body, owner.get(&format!("{page}?delete=1")).await.body);
        assert!(closed.contains("id=\"delete\"") && closed.contains("Delete agent"), "{closed}");
        assert!(!asked.contains("id=\"delete\"") && asked.contains("Delete agent"), "{asked}");
        let base = owner.get(&page).await.hidden("base");
        let saved = send(&owner, &page, &[("base", &base), ("name", "Helper"), ("domains", "")]).await;
        assert_eq!(saved.header("location"), page);
        let stored = show::details(&app.engine, &org.permit(), id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((stored.summary.name.as_str(), stored.domains.len(), stored.public_embedding), ("Helper", 0, false));

        let question = owner.get(&format!("{AGENTS}/{id}?delete=1")).await.body;
        assert!(question.contains("Delete “") && question.contains("value=\"delete\""), "{question}");
        let deleted = send(&owner, &page, &[("change", "delete")]).await;
        assert_eq!(deleted.header("location"), AGENTS);
        let listed = owner.get(deleted.header("location")).await.body;
        assert!(listed.contains("No agents yet") && listed.contains("Agent deleted."), "{listed}");
    }

    async fn what_will_not_do_comes_back_with_what_was_typed_and_why(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = create(&app.engine, &org.permit(), &agent("Support", &["shop.example"])).await.unwrap().public_id.to_string();
        let base = owner.get(&format!("{AGENTS}/{made}")).await.hidden("base");
        for (name, domains, embedding, sentence) in [
            ("", "shop.example", "", "Enter a name."),
            ("Bot", "co.uk\n<b>", "", "Anyone can have a site under “co.uk”."),
            ("Bot", "", "on", "Enter at least one domain."),
        ] {
            let mut fields = vec![("base", base.as_str()), ("name", name), ("domains", domains)];
            if !embedding.is_empty() {
                fields.push(("public_embedding", embedding));
            }
            for path in [format!("{AGENTS}/new"), format!("{AGENTS}/{made}")] {
                let refused = owner.submit(&path, &fields).await;
                assert_eq!(refused.status, 422, "{path}: {refused:?}");
                let page = refused.body;
                assert!(page.contains(sentence) && !page.contains("<b>\n"), "{sentence}: {page}");
                assert!(page.contains(&domains.replace('<', "&lt;")), "{domains}: {page}");
            }
        }
        let all = org.agents().await;
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].summary.name.as_str(), all[0].domains[0].to_string().as_str()), ("Support", "shop.example"));
        let page = owner.get(&format!("{AGENTS}/{made}")).await.body;
        assert!(page.contains("Support") && page.contains("shop.example"), "a rejected value is not stored: {page}");
    }

    async fn every_member_reads_how_an_agent_is_used(app: &TestApp) {
        let org = app.org("northwind").await;
        let embedded = AgentSettings { public_embedding: true, ..agent("Support", &["secret-domain.example"]) };
        let mut ids = Vec::new();
        for settings in [&embedded, &agent("Internal", &[])] {
            ids.push(create(&app.engine, &org.permit(), settings).await.unwrap().public_id.to_string());
        }
        for (name, role) in [("dana", Role::Owner), ("kim", Role::Admin), ("ben", Role::Member)] {
            let browser = app.signed_in(&org, name, role).await;
            let page = browser.get(&format!("{AGENTS}/{}", ids[0])).await.text();
            assert!(page.contains("send the agent’s public ID instead of a key.") && !page.contains("when it verifies a key:"), "{name}: {page}");
            assert_eq!(page.contains("secret-domain.example"), role != Role::Member, "{name}");
            let page = browser.get(&format!("{AGENTS}/{}", ids[1])).await.text();
            assert!(page.contains("when it verifies a key:") && !page.contains("instead of a key."), "{name}: {page}");
        }
    }

    async fn an_agent_in_use_is_deleted_by_its_name(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let settings = AgentSettings { public_embedding: true, ..agent("Support", &["shop.example"]) };
        let id = create(&app.engine, &org.permit(), &settings).await.unwrap().public_id.to_string();
        let page = format!("{AGENTS}/{id}");
        let unused = owner.get(&format!("{page}?delete=1")).await.text();
        assert!(unused.contains("No request with its public ID in place of a key") && !unused.contains("name=\"confirm\""), "{unused}");
        let request = Request { agent: Some(&id), origin: Some("https://shop.example"), ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "VALID");
        app.ask(&request).await;
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        let asked = owner.get(&format!("{page}?delete=1")).await.text();
        assert!(asked.contains("2 requests today, 2 in 30 days") && asked.contains("The agent was used in the last 24 hours."), "{asked}");
        for name in ["", "Other"] {
            let refused = owner.submit(&page, &[("change", "delete"), ("confirm", name)]).await;
            assert!(refused.status == 422 && refused.text().contains("Enter its name, Support, to delete it."), "{}", refused.text());
            assert!(!refused.text().contains("Nothing was changed."), "the other form has no error");
        }
        assert_eq!(org.agents().await.len(), 1);
        let deleted = owner.submit(&page, &[("change", "delete"), ("confirm", " Support ")]).await;
        assert_eq!((deleted.status.as_u16(), deleted.header("location"), org.agents().await.len()), (303, AGENTS, 0));
    }

    async fn an_agent_that_was_used_before_is_deleted_without_its_name(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let settings = AgentSettings { public_embedding: true, ..agent("Support", &["shop.example"]) };
        let id = create(&app.engine, &org.permit(), &settings).await.unwrap().public_id.to_string();
        let request = Request { agent: Some(&id), origin: Some("https://shop.example"), ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "VALID");
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        app.clock.advance(25 * 3_600_000);
        let browser = app.browser();
        let email = "dana@northwind.example";
        assert_eq!(browser.sign_in(email, crate::test_app::org::PASSWORD).await.status, 303);
        let deleted = browser.submit(&format!("{AGENTS}/{id}"), &[("change", "delete")]).await;
        assert_eq!((deleted.status.as_u16(), org.agents().await.len()), (303, 0));
        drop(owner);
    }

    async fn an_agent_shows_its_use_its_history_and_what_its_domains_allow(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let made = send(&owner, &format!("{AGENTS}/new"), &[("name", "Support"), ("domains", "shop.example"), ("public_embedding", "on")]).await;
        let path = made.header("location").to_owned();
        let id = path.rsplit('/').next().unwrap().to_owned();
        let unused = owner.get(&path).await.text();
        assert!(unused.contains("No requests with the public ID of this agent in this period.") && unused.contains("by dana in the dashboard"), "{unused}");
        let listed = owner.get(AGENTS).await.text();
        assert!(listed.contains("class=\"never\">Never") && listed.contains("data-label=\"Requests, 30 days\" class=\"num\">0<"), "{listed}");
        for (origin, answer) in [("https://shop.example", "VALID"), ("https://other.example", "ORIGIN_NOT_ALLOWED")] {
            let request = Request { agent: Some(&id), origin: Some(origin), ..Request::default() };
            assert_eq!(said(&app.ask(&request).await), answer);
        }
        latchkey::usage::flush::flush(&app.engine).await.unwrap();
        app.clock.advance(2 * 60_000);
        let listed = owner.get(AGENTS).await.text();
        assert!(listed.contains("2 minutes ago") && listed.contains("data-label=\"Requests, 30 days\" class=\"num\">2<"), "{listed}");
        let page = owner.get(&format!("{path}?origin=https%3A%2F%2Fwww.shop.example")).await.text();
        assert!(page.contains("<g class=\"series-refused\">") && page.contains(&format!("/usage?agent={id}")) && page.contains(&format!("/usage/refusals?agent={id}")), "{page}");
        assert!(page.contains("https://www.shop.example is rejected: it matches no allowed domain."), "the tester answers: {page}");
        let log = page.split("/orgs/northwind/audit?key=").nth(1).unwrap().split('"').next().unwrap();
        let entries = owner.get(&format!("/orgs/northwind/audit?key={log}")).await.text();
        assert!(entries.contains("Changes to the agent <a href=\"/orgs/northwind/agents/") && entries.matches("<time ").count() == 1, "{entries}");
        // A member sees none of it.
        let member = app.signed_in(&org, "ben", Role::Member).await;
        for hidden in [member.get(&path).await.text(), member.get(AGENTS).await.text()] {
            assert!(!hidden.contains("30 days") && !hidden.contains("History") && !hidden.contains("minutes ago"), "{hidden}");
        }
    }

    async fn a_change_of_an_agent_can_be_undone_until_someone_else_changes_it(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let settings = AgentSettings { public_embedding: true, ..agent("Support", &["shop.example", "b.example"]) };
        let id = create(&app.engine, &org.permit(), &settings).await.unwrap().public_id;
        let path = format!("{AGENTS}/{id}");
        let stored = async || show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
        let before = stored().await;
        let base = owner.get(&path).await.hidden("base");
        send(&owner, &path, &[("base", &base), ("name", "Support"), ("domains", "")]).await;
        assert_eq!((stored().await.domains.len(), stored().await.public_embedding), (0, false));
        let undo = |page: &HttpAnswer| {
            let form = page.body.split("class=\"toasts\"").nth(1).unwrap().split("</form>").next().unwrap().to_owned();
            let fields = form.split("<input ").skip(1).map(|field| {
                let of = |name: &str| field.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
                (of("name"), of("value"))
            });
            fields.collect::<Vec<_>>()
        };
        let page = owner.get(&path).await;
        assert!(page.text().contains("“Support” updated.") && page.text().contains(">Undo</button>"), "{page:?}");
        let fields = undo(&page);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        send(&owner, &path, &fields).await;
        assert_eq!(stored().await, before);
        // The same form again is of an older state, and changes nothing.
        let other = app.signed_in(&org, "kim", Role::Owner).await;
        let base = other.get(&path).await.hidden("base");
        send(&other, &path, &[("base", &base), ("name", "Helper"), ("domains", "new.example"), ("public_embedding", "on")]).await;
        let late = owner.submit(&path, &fields).await;
        assert_eq!((late.status.as_u16(), stored().await.domains.len()), (409, 1), "{late:?}");
    }

    async fn members_see_names_and_public_ids_and_admins_change_nothing(app: &TestApp) {
        let org = app.org("northwind").await;
        let settings = AgentSettings { public_embedding: true, ..agent("Support", &["secret-domain.example"]) };
        let id = create(&app.engine, &org.permit(), &settings).await.unwrap().public_id.to_string();
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let admin = app.signed_in(&org, "kim", Role::Admin).await;
        for path in [AGENTS.to_owned(), format!("{AGENTS}/{id}"), format!("{AGENTS}/{id}?delete=1")] {
            let seen = member.get(&path).await.body;
            assert!(seen.contains("Support") && seen.contains(&id), "{seen}");
            for hidden in ["secret-domain", "Public ID only", "method=\"post\" action=\"/orgs", "/agents/new", "/projects\"", "/settings\""] {
                assert!(!seen.contains(hidden), "{hidden} in {path}: {seen}");
            }
            let seen = admin.get(&path).await.body;
            assert!(seen.contains("secret-domain.example") && seen.contains("/projects\""), "{seen}");
            for hidden in ["method=\"post\" action=\"/orgs", "/agents/new", "/settings\""] {
                assert!(!seen.contains(hidden), "{hidden} in {path}: {seen}");
            }
        }
        let projects = admin.get("/orgs/northwind/projects").await.body;
        assert!(projects.contains("Default") && !projects.contains("method=\"post\" action=\"/orgs"), "{projects}");
    }

    async fn the_pages_of_a_long_list_lead_on_and_back(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let member = app.signed_in(&org, "ben", Role::Member).await;
        let mut ids = Vec::new();
        for number in 0..60 {
            ids.push(create(&app.engine, &org.permit(), &agent(&format!("Agent {number:02}"), &[])).await.unwrap().public_id);
        }
        for browser in [&owner, &member] {
            let first = browser.get(AGENTS).await;
            assert_eq!((shown(&first), link(&first, "prev")), ((0..50).collect(), None));
            let second = browser.get(&link(&first, "next").unwrap()).await;
            assert_eq!((shown(&second), link(&second, "next")), ((50..60).collect(), None));
            let back = browser.get(&link(&second, "prev").unwrap()).await;
            assert_eq!((shown(&back), link(&back, "prev")), ((0..50).collect(), None));
            assert!(link(&back, "next").is_some());
            let behind = browser.get(&format!("{AGENTS}?after={}", ids[59])).await;
            assert_eq!((shown(&behind), link(&behind, "next")), ((10..60).collect(), None));
            assert_eq!(shown(&browser.get(&link(&behind, "prev").unwrap()).await), (0..10).collect::<Vec<_>>());
            assert_eq!(shown(&browser.get(&format!("{AGENTS}?before={}", ids[0])).await), (0..50).collect::<Vec<_>>());
        }
        delete(&app.engine, &org.permit(), ids[49]).await.unwrap();
        let gone = owner.get(&format!("{AGENTS}?after={}", ids[49])).await;
        assert!(shown(&gone).len() == 50 && gone.text().contains("59 agents"), "beside an agent that is gone: {}", gone.text());
    }

    async fn projects_are_made_renamed_and_deleted(app: &TestApp) {
        let org = app.org("northwind").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        send(&owner, PROJECTS, &[("change", "create"), ("name", "Shop")]).await;
        let shop = projects::list(&app.engine, &org.permit()).await.unwrap()[1].id.to_string();
        let taken = owner.submit(PROJECTS, &[("change", "create"), ("name", "Shop")]).await;
        assert!(taken.status == 422 && taken.body.contains("A project “Shop” already exists."), "{taken:?}");
        let page = owner.get(&format!("{PROJECTS}?rename={shop}")).await.body;
        assert!(page.contains("value=\"rename\"") && page.contains(r#"value="Shop""#), "{page}");
        let base = owner.get(&format!("{PROJECTS}?rename={shop}")).await.hidden("base");
        let rename = [("change", "rename"), ("project", shop.as_str()), ("base", base.as_str()), ("name", "")];
        let nameless = owner.submit(PROJECTS, &rename).await;
        assert!(nameless.status == 422 && nameless.text().contains("Rename “Shop”"), "{nameless:?}");
        send(&owner, PROJECTS, &[rename[0], rename[1], rename[2], ("name", "Store")]).await;
        create(&app.engine, &org.permit(), &AgentSettings { project: shop.parse().ok(), ..agent("Support", &[]) }).await.unwrap();
        let delete = [("change", "delete"), ("project", shop.as_str())];
        let full = owner.submit(PROJECTS, &delete).await;
        assert!(full.status == 422 && full.body.contains("This project is not empty.") && full.body.contains("Store"), "{full:?}");
        app.database.execute("DELETE FROM agents").await;
        let deleted = send(&owner, PROJECTS, &delete).await;
        let page = owner.get(deleted.header("location")).await.body;
        assert!(page.contains("Project deleted.") && !page.contains("Store"), "{page}");
    }

    async fn an_owner_changes_the_orgs_settings(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        let request = Request { key: Some(&made.plain), origin: Some("https://shop.example"), ..Request::default() };
        assert_eq!(said(&app.ask(&request).await), "SECRET_KEY_IN_BROWSER");
        let base = owner.get("/orgs/northwind/settings").await.hidden("base");
        let fields = [("base", base.as_str()), ("name", "Northwind & Sons"), ("secrets_in_browsers", "allow")];
        let saved = send(&owner, "/orgs/northwind/settings", &fields).await;
        assert_eq!(said(&app.ask(&request).await), "VALID");
        let page = owner.get(saved.header("location")).await.body;
        assert!(page.contains("Saved.") && page.contains("Northwind &amp; Sons"), "{page}");
        let fields = [("name", " "), ("secrets_in_browsers", "refuse")];
        let refused = owner.submit("/orgs/northwind/settings", &fields).await;
        assert!(refused.status == 422 && refused.body.contains("Enter an organization name."), "{refused:?}");
        let stored = settings::read(&app.engine, &org.permit()).await.unwrap();
        assert_eq!((stored.name.as_str(), stored.secrets_in_browsers), ("Northwind & Sons", true));
    }

    async fn every_agent_has_a_page_of_its_own_org_only(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let theirs = create(&app.engine, &other.permit(), &agent("Theirs", &[])).await.unwrap().public_id;
        let owner = app.signed_in(&org, "dana", Role::Owner).await;
        for id in [theirs.to_string(), "agt_x".to_owned()] {
            let answer = owner.get(&format!("{AGENTS}/{id}")).await;
            assert_eq!((answer.status.as_u16(), answer.body.contains("Theirs")), (404, false));
        }
        assert_eq!(agents_of(app, &other).await, ["Theirs"]);
    }
}

async fn agents_of(app: &TestApp, org: &TestOrg) -> Vec<String> {
    let all = show::summaries(&app.engine, &org.permit(), show::Place::Start, 100)
        .await
        .unwrap();
    all.iter().map(|agent| agent.name.to_string()).collect()
}

/// Submits a form, which must succeed.
async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> HttpAnswer {
    let answer = browser.submit(path, fields).await;
    assert_eq!(answer.status, 303, "{path}: {answer:?}");
    answer
}

/// The numbers of the agents that a page lists.
fn shown(page: &HttpAnswer) -> Vec<usize> {
    let names = page.body.split(">Agent ").skip(1);
    names.map(|rest| rest[..2].parse().unwrap()).collect()
}

/// The URL of a pager link.
fn link(page: &HttpAnswer, rel: &str) -> Option<String> {
    let (_, rest) = page.body.split_once(&format!("rel=\"{rel}\" href=\""))?;
    Some(rest.split('"').next()?.replace("&amp;", "&"))
}
