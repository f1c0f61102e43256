//! Agents: their organizations, their domains, and pages that send only a public ID.

use std::sync::Arc;

use latchkey::{
    Engine,
    agents::{AgentSettings, AgentSummary, create::create, delete::delete, edit::edit},
    convention::{Convention, Scope},
    projects,
    usage::flush::flush,
    verify::{Request, verify},
};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, secret_key, widget_key, with},
    said,
};

on_both! {
    async fn a_keys_own_orgs_agent_is_let_through_and_named(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, bot) = (org.key("Production").await, make(&app.engine, &org, &agent("Support", &[])).await);
        let id = bot.public_id.to_string();
        let answer = app.ask(&Request { key: Some(&made.plain), agent: Some(&id), ..Request::default() }).await;
        assert_eq!(said(&answer), "VALID");
        let named = answer.agent.unwrap();
        assert_eq!((named.id, named.public_id, named.org_id), (bot.id, bot.public_id, org.org.id));
    }

    async fn another_orgs_agent_is_a_mismatch_and_an_unknown_one_not_found(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let made = org.key("Production").await;
        let theirs = make(&app.engine, &other, &agent("Theirs", &[])).await.public_id.to_string();
        let unknown = theirs.replace(|c: char| c.is_ascii_uppercase(), "0");
        for (id, expected) in [(theirs.as_str(), "ORG_MISMATCH"), (&unknown, "AGENT_NOT_FOUND"), ("no id", "AGENT_NOT_FOUND"), ("", "AGENT_NOT_FOUND")] {
            let answer = app.ask(&Request { key: Some(&made.plain), agent: Some(id), ..Request::default() }).await;
            assert_eq!((said(&answer).as_str(), answer.agent.is_none()), (expected, true), "{id}");
        }
    }

    async fn a_key_is_bound_to_its_project_where_the_convention_says_so(app: &TestApp) {
        for (convention, expected) in [("cencori", "ORG_MISMATCH"), ("agentix", "VALID")] {
            let engine = under(app, convention).await;
            let org = TestOrg::make(&engine, convention).await;
            let shop = projects::create(&engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
            let made = org.key("Production").await;
            let elsewhere = make(&engine, &org, &AgentSettings { project: Some(shop), ..agent("Shop's", &[]) }).await.public_id;
            let own = make(&engine, &org, &agent("Own", &[])).await.public_id;
            assert_eq!(ask(&engine, &made.plain, &elsewhere.to_string(), None).await, expected, "{convention}");
            assert_eq!(ask(&engine, &made.plain, &own.to_string(), None).await, "VALID", "{convention}");
        }
    }

    async fn an_agents_domains_hold_for_every_request_of_a_browser(app: &TestApp) {
        let engine = under(app, "agentix").await;
        let org = TestOrg::make(&engine, "northwind").await;
        let new = with(secret_key("Widget"), |settings| settings.scopes = vec!["chat".parse().unwrap()]);
        let made = org.create_key(new).await.unwrap();
        let bot = make(&engine, &org, &agent("Support", &["shop.example"])).await.public_id.to_string();
        for (origin, expected) in [
            (Some("https://shop.example"), "VALID"),
            (Some("https://evil.example"), "ORIGIN_NOT_ALLOWED"),
            (Some("null"), "ORIGIN_NOT_ALLOWED"),
            (None, "VALID"),
        ] {
            assert_eq!(ask(&engine, &made.plain, &bot, origin).await, expected, "{origin:?}");
        }
    }

    async fn a_widget_key_needs_its_own_list_and_its_agents(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example", "blog.example"])).await.unwrap();
        let bot = make(&app.engine, &org, &agent("Support", &["shop.example", "docs.example"])).await.public_id.to_string();
        let open = make(&app.engine, &org, &agent("Open", &[])).await.public_id.to_string();
        for (id, origin, expected) in [
            (&bot, Some("https://shop.example"), "VALID"),
            (&bot, Some("https://blog.example"), "ORIGIN_NOT_ALLOWED"),
            (&bot, Some("https://docs.example"), "ORIGIN_NOT_ALLOWED"),
            (&bot, None, "ORIGIN_NOT_ALLOWED"),
            (&open, Some("https://blog.example"), "VALID"),
        ] {
            assert_eq!(ask(&app.engine, &made.plain, id, origin).await, expected, "{origin:?}");
        }
    }

    async fn a_page_without_a_key_is_decided_on_by_its_origin(app: &TestApp) {
        let engine = under(app, "corthex").await;
        let org = TestOrg::make(&engine, "northwind").await;
        let embedded = AgentSettings { public_embedding: true, ..agent("Embedded", &["shop.example"]) };
        let bot = make(&engine, &org, &embedded).await;
        let private = make(&engine, &org, &agent("Private", &["shop.example"])).await.public_id.to_string();
        let id = bot.public_id.to_string();
        let shop = Some("https://shop.example");
        for (agent, origin, scopes, expected) in [
            (id.as_str(), shop, &[][..], "VALID"),
            (&id, shop, &["chat"], "VALID"),
            (&id, shop, &["chat", "analytics"], "INSUFFICIENT_SCOPE analytics"),
            (&id, Some("https://evil.example"), &[], "ORIGIN_NOT_ALLOWED"),
            (&id, Some("http://localhost"), &[], "ORIGIN_NOT_ALLOWED"),
            (&id, None, &[], "ORIGIN_NOT_ALLOWED"),
            (&private, shop, &[], "MISSING_API_KEY"),
            ("agt_0000000000000000000000", shop, &[], "AGENT_NOT_FOUND"),
        ] {
            let scopes: Vec<Scope> = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
            let request = Request { agent: Some(agent), origin, scopes: &scopes, ..Request::default() };
            assert_eq!(said(&verify(&engine, &request).await.unwrap()), expected, "{origin:?} {scopes:?}");
        }
        flush(&engine).await.unwrap();
        let mut days = app.stored("days").await;
        days.retain(|day| day.id == bot.id.to_string());
        assert_eq!(days.iter().map(|day| day.count).sum::<i64>(), 6, "under the agent's own ID");
    }

    async fn an_empty_list_lets_no_page_in_not_even_localhost(app: &TestApp) {
        let org = app.org("northwind").await;
        let embedded = AgentSettings { public_embedding: true, ..agent("Embedded", &["shop.example"]) };
        let id = make(&app.engine, &org, &embedded).await.public_id.to_string();
        app.database.execute("UPDATE agents SET domains = '[]'").await;
        for origin in ["http://localhost:3000", "https://shop.example"] {
            let request = Request { agent: Some(&id), origin: Some(origin), ..Request::default() };
            assert_eq!(said(&app.ask(&request).await), "ORIGIN_NOT_ALLOWED", "{origin}");
        }
    }

    async fn without_public_embedding_a_page_needs_a_key_whatever_agent_it_names(app: &TestApp) {
        let engine = under(app, "agentix").await;
        let org = TestOrg::make(&engine, "northwind").await;
        let id = make(&engine, &org, &agent("Support", &["shop.example"])).await.public_id.to_string();
        for agent in [id.as_str(), "agt_0000000000000000000000", "x"] {
            let request = Request { agent: Some(agent), origin: Some("https://shop.example"), ..Request::default() };
            assert_eq!(said(&verify(&engine, &request).await.unwrap()), "MISSING_API_KEY", "{agent}");
        }
    }

    async fn a_warm_agent_with_a_warm_key_makes_no_database_call(app: &TestApp) {
        let org = app.org("northwind").await;
        let (made, bot) = (org.key("Production").await, make(&app.engine, &org, &agent("Support", &[])).await);
        let (warm, cold) = (bot.public_id.to_string(), make(&app.engine, &org, &agent("Cold", &[])).await.public_id.to_string());
        assert_eq!(ask(&app.engine, &made.plain, &warm, None).await, "VALID");
        app.engine.db().close().await;
        for _ in 0..100 {
            assert_eq!(ask(&app.engine, &made.plain, &warm, None).await, "VALID");
        }
        assert_eq!(ask(&app.engine, &made.plain, &cold, None).await, "no answer");
        app.clock.advance(latchkey::verify::cache::TRUSTED_FOR);
        assert_eq!(ask(&app.engine, &made.plain, &warm, None).await, "no answer");
    }

    async fn a_change_of_an_agent_takes_effect_immediately(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.create_key(widget_key("Shop", &["shop.example", "blog.example"])).await.unwrap();
        let bot = make(&app.engine, &org, &agent("Support", &["shop.example"])).await.public_id;
        let ask = async |origin| ask(&app.engine, &made.plain, &bot.to_string(), Some(origin)).await;
        assert_eq!(ask("https://shop.example").await, "VALID");
        edit(&app.engine, &org.permit(), bot, agent("Support", &["blog.example"]).into()).await.unwrap();
        assert_eq!(ask("https://shop.example").await, "ORIGIN_NOT_ALLOWED");
        assert_eq!(ask("https://blog.example").await, "VALID");
        delete(&app.engine, &org.permit(), bot).await.unwrap();
        assert_eq!(ask("https://blog.example").await, "AGENT_NOT_FOUND");
    }

    async fn an_agent_that_is_made_after_it_was_asked_for_is_known_at_once(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = org.key("Production").await;
        let bot = make(&app.engine, &org, &agent("Support", &[])).await.public_id;
        app.database.execute("UPDATE agents SET public_id = 'agt_0000000000000000000000'").await;
        assert_eq!(ask(&app.engine, &made.plain, &bot.to_string(), None).await, "AGENT_NOT_FOUND");
        app.database.execute(&format!("UPDATE agents SET public_id = '{bot}'")).await;
        edit(&app.engine, &org.permit(), bot, agent("Support desk", &[]).into()).await.unwrap();
        assert_eq!(ask(&app.engine, &made.plain, &bot.to_string(), None).await, "VALID");
    }
}

async fn make(engine: &Engine, org: &TestOrg, settings: &AgentSettings) -> AgentSummary {
    create(engine, &org.permit(), settings).await.unwrap()
}

async fn under(app: &TestApp, convention: &str) -> Arc<Engine> {
    app.another_engine(|settings| settings.convention = Convention::built_in(convention).unwrap())
        .await
}

async fn ask(
    engine: &Engine,
    key: &latchkey::key::text::PlainKey,
    agent: &str,
    origin: Option<&str>,
) -> String {
    let request = Request {
        key: Some(key),
        agent: Some(agent),
        origin,
        ..Request::default()
    };
    match verify(engine, &request).await {
        Ok(answer) => said(&answer),
        Err(_) => "no answer".to_owned(),
    }
}
