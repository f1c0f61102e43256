//! Projects.

use latchkey::{
    agents,
    id::ProjectId,
    key::RevokeReason,
    keys::change_state,
    projects::{self, ProjectError},
    revision::Known,
};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, secret_key, with},
};

on_both! {
    async fn projects_are_listed_with_what_is_in_them_default_first(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = make(app, &org, "Shop").await.unwrap();
        make(app, &org, "alpha").await.unwrap();
        org.key("One").await;
        for name in ["Two", "Three"] {
            org.create_key(with(secret_key(name), |settings| settings.project = Some(shop))).await.unwrap();
        }
        let bot = agents::AgentSettings { project: Some(shop), ..agent("Support", &[]) };
        agents::create::create(&app.engine, &org.permit(), &bot).await.unwrap();
        make(app, &app.org("contoso").await, "Theirs").await.unwrap();
        assert_eq!(listed(app, &org).await, ["Default 1 0", "alpha 0 0", "Shop 2 1"]);
    }

    async fn what_moves_into_a_project_while_it_is_deleted_is_in_it_or_is_told_that_it_is_gone(app: &TestApp) {
        let org = app.org("northwind").await;
        for number in 0..15 {
            let project = make(app, &org, &format!("Shop {number}")).await.unwrap();
            let new = with(secret_key("One"), |settings| settings.project = Some(project));
            let bot = agents::AgentSettings { project: Some(project), ..agent("Support", &[]) };
            let (permit, to_delete) = (org.permit(), org.permit());
            let (key, agent, deleted) = tokio::join!(
                org.create_key(new),
                agents::create::create(&app.engine, &permit, &bot),
                projects::delete(&app.engine, &to_delete, project),
            );
            let key = key.map_err(|error| error.to_string());
            let agent = agent.map_err(|error| error.to_string());
            let gone = "The project was not found";
            for refused in [key.err(), agent.err()].into_iter().flatten() {
                assert!(refused.starts_with(gone), "{refused}");
            }
            assert!(matches!(deleted, Ok(()) | Err(ProjectError::NotEmpty)), "{deleted:?}");
        }
    }

    async fn a_name_is_taken_within_its_org_alone(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let shop = make(app, &org, "Shop").await.unwrap();
        let blog = make(app, &org, "Blog").await.unwrap();
        for taken in ["Shop", "Default"] {
            let error = make(app, &org, taken).await.unwrap_err();
            assert!(matches!(error, ProjectError::NameTaken(_)), "{error:?}");
            let error = rename(app, &org, blog, taken).await.unwrap_err();
            assert!(matches!(error, ProjectError::NameTaken(_)), "{error:?}");
        }
        make(app, &other, "Shop").await.unwrap();
        rename(app, &org, shop, "Shop").await.unwrap();
        rename(app, &org, shop, "Store").await.unwrap();
        assert_eq!(listed(app, &org).await, ["Default 0 0", "Blog 0 0", "Store 0 0"]);
    }

    async fn only_an_empty_project_can_be_deleted_and_default_stays(app: &TestApp) {
        let org = app.org("northwind").await;
        let default = projects::list(&app.engine, &org.permit()).await.unwrap()[0].id;
        let (keys, bots, empty) =
            (make(app, &org, "Keys").await.unwrap(), make(app, &org, "Bots").await.unwrap(), make(app, &org, "Empty").await.unwrap());
        org.create_key(with(secret_key("One"), |settings| settings.project = Some(keys))).await.unwrap();
        let bot = agents::AgentSettings { project: Some(bots), ..agent("Support", &[]) };
        agents::create::create(&app.engine, &org.permit(), &bot).await.unwrap();
        for full in [keys, bots] {
            let error = projects::delete(&app.engine, &org.permit(), full).await.unwrap_err();
            assert!(matches!(error, ProjectError::NotEmpty), "{error:?}");
        }
        for error in [
            projects::delete(&app.engine, &org.permit(), default).await.unwrap_err(),
            rename(app, &org, default, "Other").await.unwrap_err(),
        ] {
            assert!(matches!(error, ProjectError::IsDefault), "{error:?}");
        }
        projects::delete(&app.engine, &org.permit(), empty).await.unwrap();
        assert_eq!(listed(app, &org).await, ["Default 0 0", "Bots 0 1", "Keys 1 0"]);
    }

    async fn revoked_keys_of_a_deleted_project_move_to_default(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = make(app, &org, "Shop").await.unwrap();
        let new = |name| with(secret_key(name), |settings| settings.project = Some(shop));
        let (old, current) = (org.create_key(new("Old")).await.unwrap(), org.create_key(new("Current")).await.unwrap());
        let revoke = async |id| change_state::revoke(&app.engine, &org.permit(), id, RevokeReason::Unused).await.unwrap();
        revoke(old.id).await;
        let error = projects::delete(&app.engine, &org.permit(), shop).await.unwrap_err();
        assert!(matches!(error, ProjectError::NotEmpty), "{error:?}");
        assert_eq!(listed(app, &org).await, ["Default 0 0", "Shop 2 0"], "nothing moved");
        revoke(current.id).await;
        projects::delete(&app.engine, &org.permit(), shop).await.unwrap();
        assert_eq!(listed(app, &org).await, ["Default 2 0"]);
        let events = app.database.texts("SELECT event FROM audit_log ORDER BY position DESC LIMIT 3").await;
        assert_eq!(events, ["project.deleted", "key.updated", "key.updated"]);
    }

    async fn another_orgs_project_is_not_found(app: &TestApp) {
        let (org, other) = (app.org("northwind").await, app.org("contoso").await);
        let theirs = make(app, &other, "Theirs").await.unwrap();
        for id in [theirs, ProjectId::new(0, [0; 10])] {
            for error in [
                projects::delete(&app.engine, &org.permit(), id).await.unwrap_err(),
                rename(app, &org, id, "Mine").await.unwrap_err(),
            ] {
                assert!(matches!(error, ProjectError::NotFound), "{error:?}");
            }
        }
        assert_eq!(listed(app, &other).await, ["Default 0 0", "Theirs 0 0"]);
    }

    async fn a_key_made_while_its_project_is_deleted_keeps_it_or_is_not_made(app: &TestApp) {
        let org = app.org("northwind").await;
        for round in 0..20 {
            let project = make(app, &org, &format!("Project {round}")).await.unwrap();
            let deleting = {
                let (engine, permit) = (app.engine.clone(), org.permit());
                tokio::spawn(async move { projects::delete(&engine, &permit, project).await })
            };
            let made = org.create_key(with(secret_key("One"), |settings| settings.project = Some(project))).await;
            let deleted = deleting.await.unwrap();
            assert_ne!(made.is_ok(), deleted.is_ok(), "round {round}: {made:?} {deleted:?}");
        }
        let strays = "SELECT COUNT(*) FROM keys WHERE project_id NOT IN (SELECT id FROM projects)";
        assert_eq!(app.database.number(strays).await, 0);
    }
}

async fn make(app: &TestApp, org: &TestOrg, name: &str) -> Result<ProjectId, ProjectError> {
    projects::create(&app.engine, &org.permit(), &name.parse().unwrap()).await
}

async fn rename(
    app: &TestApp,
    org: &TestOrg,
    id: ProjectId,
    name: &str,
) -> Result<(), ProjectError> {
    projects::rename(
        &app.engine,
        &org.permit(),
        id,
        &name.parse().unwrap(),
        &Known::Nothing,
    )
    .await
}

/// The name, number of keys and number of agents of each project.
async fn listed(app: &TestApp, org: &TestOrg) -> Vec<String> {
    projects::list(&app.engine, &org.permit())
        .await
        .unwrap()
        .iter()
        .map(|project| format!("{} {} {}", project.name, project.keys, project.agents))
        .collect()
}
