//! Creating, listing, editing and deleting agents.

use latchkey::{
    agents::{
        AgentError, AgentSettings,
        create::create,
        delete::delete,
        edit::{EditAgent, edit},
        show,
    },
    convention::Convention,
    id::ProjectId,
    projects,
};

use crate::test_app::{NOON, TestApp, TestOrg, org::agent};

on_both! {
    async fn an_agent_is_stored_as_it_was_made(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = projects::create(&app.engine, &org.permit(), &"Shop".parse().unwrap()).await.unwrap();
        let settings = AgentSettings { project: Some(shop), public_embedding: true, ..agent("Support", &["shop.example", "*.shop.example"]) };
        let made = create(&app.engine, &org.permit(), &settings).await.unwrap();
        let stored = show::details(&app.engine, &org.permit(), made.public_id).await.unwrap().unwrap();
        assert_eq!(stored.summary, made);
        assert_eq!((stored.project_id, stored.project_name.as_str(), stored.created_at), (shop, "Shop", NOON));
        assert_eq!((stored.domains.clone(), stored.public_embedding), (settings.domains, true));
        assert_eq!(org.agents().await, [stored]);
        assert_eq!(show::summary(&app.engine, &org.permit(), made.public_id).await.unwrap(), Some(made));
    }

    async fn agents_are_listed_by_name_and_belong_to_default_when_none_is_named(app: &TestApp) {
        let org = app.org("northwind").await;
        for name in ["zebra", "Alpha", "beta"] {
            create(&app.engine, &org.permit(), &agent(name, &[])).await.unwrap();
        }
        let names: Vec<String> = show::summaries(&app.engine, &org.permit(), show::Place::Start, 100).await.unwrap()
            .into_iter().map(|one| one.name.to_string()).collect();
        assert_eq!(names, ["Alpha", "beta", "zebra"]);
        let all = org.agents().await;
        assert!(all.iter().all(|one| one.project_name.as_str() == "Default"));
    }

    async fn what_will_not_do_changes_nothing(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let theirs = projects::create(&app.engine, &other.permit(), &"Theirs".parse().unwrap()).await.unwrap();
        let made = create(&app.engine, &org.permit(), &agent("Support", &["shop.example"])).await.unwrap();
        let before = org.agents().await;
        let of_no_one = ProjectId::new(0, [0; 10]);
        for (settings, sentence) in [
            (AgentSettings { project: Some(theirs), ..agent("New", &[]) }, "project was not found"),
            (AgentSettings { project: Some(of_no_one), ..agent("New", &[]) }, "project was not found"),
            (AgentSettings { public_embedding: true, ..agent("New", &[]) }, "at least one domain"),
        ] {
            for done in [
                create(&app.engine, &org.permit(), &settings).await.map(drop),
                edit(&app.engine, &org.permit(), made.public_id, settings.into()).await,
            ] {
                let error = done.unwrap_err().to_string();
                assert!(error.contains(sentence), "{error}");
            }
        }
        assert_eq!(org.agents().await, before);
    }

    async fn of_changes_at_once_none_is_lost(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = create(&app.engine, &org.permit(), &agent("Support", &["shop.example"])).await.unwrap();
        for round in 0..10 {
            let name = EditAgent { name: Some(format!("Support {round}").parse().unwrap()), ..EditAgent::default() };
            let domain = format!("shop{round}.example");
            let domains = EditAgent { domains: Some(vec![domain.parse().unwrap()]), ..EditAgent::default() };
            let (permit, id) = (org.permit(), made.public_id);
            let (one, other) = tokio::join!(edit(&app.engine, &permit, id, name), edit(&app.engine, &permit, id, domains));
            one.unwrap();
            other.unwrap();
            let agent = show::details(&app.engine, &org.permit(), id).await.unwrap().unwrap();
            assert_eq!((agent.summary.name.as_str(), agent.domains[0].to_string()), (format!("Support {round}").as_str(), domain));
        }
    }

    async fn embedding_is_refused_where_the_convention_has_none(app: &TestApp) {
        let engine = app.another_engine(|settings| settings.convention = Convention::built_in("agentix").unwrap()).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let settings = AgentSettings { public_embedding: true, ..agent("Support", &["shop.example"]) };
        let refused = create(&engine, &org.permit(), &settings).await;
        assert!(matches!(refused, Err(AgentError::EmbeddingNotOffered)), "{refused:?}");
    }

    async fn another_orgs_agent_is_not_found_by_any_operation(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let theirs = create(&app.engine, &other.permit(), &agent("Theirs", &["shop.example"])).await.unwrap();
        let before = other.agents().await;
        let not_found = |done: Result<(), AgentError>| assert!(matches!(done, Err(AgentError::NotFound)), "{done:?}");
        not_found(edit(&app.engine, &org.permit(), theirs.public_id, agent("Mine", &[]).into()).await);
        not_found(delete(&app.engine, &org.permit(), theirs.public_id).await);
        assert!(show::summary(&app.engine, &org.permit(), theirs.public_id).await.unwrap().is_none());
        assert!(show::details(&app.engine, &org.permit(), theirs.public_id).await.unwrap().is_none());
        assert!(org.agents().await.is_empty());
        assert!(show::summaries(&app.engine, &org.permit(), show::Place::Start, 100).await.unwrap().is_empty());
        assert_eq!(other.agents().await, before);
    }

    async fn a_deleted_agent_is_gone(app: &TestApp) {
        let org = app.org("northwind").await;
        let made = create(&app.engine, &org.permit(), &agent("Support", &[])).await.unwrap();
        delete(&app.engine, &org.permit(), made.public_id).await.unwrap();
        assert!(show::summaries(&app.engine, &org.permit(), show::Place::Start, 100).await.unwrap().is_empty());
        let again = delete(&app.engine, &org.permit(), made.public_id).await;
        assert!(matches!(again, Err(AgentError::NotFound)), "{again:?}");
    }
}
