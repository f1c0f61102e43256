//! Limits per org.

use std::{fmt::Debug, future::Future, sync::Arc};

use latchkey::{
    Engine,
    access::Operator,
    accounts::create_user::{CreateUserError, create_user},
    agents::{self, AgentError, edit::EditAgent},
    key::{RevokeReason, settings::SettingsChange},
    keys::{
        change_state,
        create::{self, CreateKeyError},
        edit::{DomainsChange, EditDomains, EditKeyError, edit_domains},
        import::{Format, ImportError, import},
    },
    limits::{LimitReached, Limited, Limits},
    projects::{self, ProjectError},
    role::Role,
};
use sha2::{Digest, Sha256};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, new_user, secret_key, widget_key, with},
};

on_both! {
    async fn concurrent_creations_do_not_exceed_a_limit(app: &TestApp) {
        let engine = limited(app, Limits { keys: 5, agents: 4, projects: 3, members: 2, domains: 7 }).await;
        let (org, other) = (TestOrg::make(&engine, "northwind").await, TestOrg::make(&engine, "contoso").await);
        let keys = concurrently(|number| {
            let (engine, permit) = (Arc::clone(&engine), org.permit());
            async move { create::create(&engine, &permit, secret_key(&format!("Key {number}"))).await }
        });
        let (made, errors) = keys.await;
        assert_eq!(made, 5);
        for error in errors {
            let CreateKeyError::Limit(reached) = error else { panic!("{error:?}") };
            assert_eq!(reached, LimitReached { limited: Limited::Keys, max: 5 });
        }
        let agents = concurrently(|number| {
            let (engine, permit) = (Arc::clone(&engine), org.permit());
            async move { agents::create::create(&engine, &permit, &agent(&format!("Bot {number}"), &[])).await }
        });
        let (made, errors) = agents.await;
        assert_eq!(made, 4);
        assert!(errors.iter().all(|error| matches!(error, AgentError::Limit(_))), "{errors:?}");
        let projects = concurrently(|number| {
            let (engine, permit) = (Arc::clone(&engine), org.permit());
            async move { projects::create(&engine, &permit, &format!("Shop {number}").parse().unwrap()).await }
        });
        let (made, errors) = projects.await;
        assert_eq!(made, 2, "with Default");
        assert!(errors.iter().all(|error| matches!(error, ProjectError::Limit(_))), "{errors:?}");
        // The limits of one org do not affect another.
        other.key("One").await;
        agents::create::create(&engine, &other.permit(), &agent("Bot", &[])).await.unwrap();
        projects::create(&engine, &other.permit(), &"Shop".parse().unwrap()).await.unwrap();
        engine.db().close().await;
    }

    async fn an_org_has_a_bounded_number_of_members(app: &TestApp) {
        let engine = limited(app, Limits { members: 2, ..Limits::default() }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let (made, errors) = concurrently(|number| {
            let (engine, org) = (Arc::clone(&engine), org.org.clone());
            async move {
                let new = new_user("Person", &format!("person{number}@northwind.example"), Role::Member);
                create_user(&engine, &Operator::at_the_command_line(), &org, new).await
            }
        }).await;
        assert_eq!(made, 2);
        // Concurrent calls can also exceed their share of the hash queue.
        assert!(errors.iter().all(|error| matches!(error, CreateUserError::Limit(_) | CreateUserError::Fault(_))), "{errors:?}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 2);
        engine.db().close().await;
    }

    async fn a_revoked_key_leaves_its_place_to_another_and_a_disabled_one_keeps_it(app: &TestApp) {
        let engine = limited(app, Limits { keys: 2, domains: 3, ..Limits::default() }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let shop = org.create_key(widget_key("Shop", &["a.example", "b.example", "c.example"])).await.unwrap();
        let other = org.key("Other").await;
        change_state::disable(&engine, &org.permit(), other.id).await.unwrap();
        let full = org.create_key(secret_key("Third")).await.unwrap_err();
        assert!(matches!(full, CreateKeyError::Limit(LimitReached { limited: Limited::Keys, .. })), "{full:?}");
        change_state::enable(&engine, &org.permit(), other.id).await.unwrap();
        change_state::revoke(&engine, &org.permit(), other.id, RevokeReason::Unused).await.unwrap();
        let full = org.create_key(widget_key("Blog", &["d.example"])).await.unwrap_err();
        assert!(matches!(full, CreateKeyError::Limit(LimitReached { limited: Limited::Domains, max: 3 })), "{full:?}");
        change_state::revoke(&engine, &org.permit(), shop.id, RevokeReason::Unused).await.unwrap();
        org.create_key(widget_key("Blog", &["d.example", "e.example", "f.example"])).await.unwrap();
        engine.db().close().await;
    }

    async fn keys_and_agents_have_a_bounded_number_of_domains_in_all(app: &TestApp) {
        let engine = limited(app, Limits { domains: 4, ..Limits::default() }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let shop = org.create_key(widget_key("Shop", &["a.example"])).await.unwrap();
        let bot = agents::create::create(&engine, &org.permit(), &agent("Bot", &["b.example"])).await.unwrap();
        let (made, errors) = concurrently(|number| {
            let (engine, permit) = (Arc::clone(&engine), org.permit());
            let more = DomainsChange::Add(vec![format!("shop{number}.example").parse().unwrap()]);
            let edit = EditDomains { domains: Some(more), ..EditDomains::default() };
            async move { edit_domains(&engine, &permit, shop.id, edit).await }
        }).await;
        assert_eq!(made, 2);
        assert!(errors.iter().all(|error| matches!(error, EditKeyError::Limit(_))), "{errors:?}");
        let more = |domains: &[&str]| EditAgent::from(agent("Bot", domains));
        let full = agents::edit::edit(&engine, &org.permit(), bot.public_id, more(&["b.example", "c.example"])).await;
        assert!(matches!(full, Err(AgentError::Limit(_))), "{full:?}");
        // An edit that adds nothing is allowed above the limit.
        agents::edit::edit(&engine, &org.permit(), bot.public_id, more(&["c.example"])).await.unwrap();
        let full = agents::create::create(&engine, &org.permit(), &agent("Other", &["d.example"])).await;
        assert!(matches!(full, Err(AgentError::Limit(_))), "{full:?}");
        agents::create::create(&engine, &org.permit(), &agent("Other", &[])).await.unwrap();
        engine.db().close().await;
    }

    async fn what_is_over_a_limit_that_was_lowered_stays_and_can_be_edited(app: &TestApp) {
        let org = app.org("northwind").await;
        let shop = org.create_key(widget_key("Shop", &["a.example", "b.example", "c.example"])).await.unwrap();
        org.key("Other").await;
        let engine = limited(app, Limits { keys: 1, domains: 1, ..Limits::default() }).await;
        let lowered = TestOrg { org: org.org.clone(), engine: Arc::clone(&engine) };
        let rename = SettingsChange { name: Some("Store".parse().unwrap()), ..SettingsChange::default() };
        lowered.edit(shop.id, rename).await.unwrap();
        let gone = DomainsChange::Remove(vec!["a.example".parse().unwrap()]);
        let edit = EditDomains { domains: Some(gone), ..EditDomains::default() };
        edit_domains(&engine, &org.permit(), shop.id, edit).await.unwrap();
        lowered.create_key(secret_key("Third")).await.unwrap_err();
        assert_eq!(crate::test_app::said(&app.verify(&shop.plain).await), "ORIGIN_NOT_ALLOWED");
        engine.db().close().await;
    }

    async fn an_import_is_checked_as_a_whole(app: &TestApp) {
        let engine = limited(app, Limits { keys: 5, domains: 4, ..Limits::default() }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let run = |file: String, dry_run| {
            let (engine, permit) = (Arc::clone(&engine), org.permit());
            async move { import(&engine, &permit, Format::Csv, &file, dry_run).await }
        };
        for dry_run in [true, false] {
            let many = run(file("many", 6, 0), dry_run).await;
            assert!(matches!(many, Err(ImportError::Limit(LimitReached { limited: Limited::Keys, .. }))), "{many:?}");
            let wide = run(file("wide", 1, 5), dry_run).await;
            assert!(matches!(wide, Err(ImportError::Limit(LimitReached { limited: Limited::Domains, .. }))), "{wide:?}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 0);
        let (made, errors) = concurrently(|number| run(file(&format!("part{number}"), 2, 0), false)).await;
        // Concurrent calls can also exceed their share of the queue.
        assert!(errors.iter().all(|error| matches!(error, ImportError::Limit(_) | ImportError::Fault(_))), "{errors:?}");
        assert!(made <= 2, "{made}");
        assert_eq!(app.database.number("SELECT COUNT(*) FROM keys").await, 2 * made as i64);
        engine.db().close().await;
    }

    async fn a_form_that_is_sent_twice_finds_the_last_key_that_had_room(app: &TestApp) {
        let engine = limited(app, Limits { keys: 1, ..Limits::default() }).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let new = create::NewKey { creation_token: Some("form 1".to_owned()), ..secret_key("Only") };
        let first = org.create_key(new.clone()).await.unwrap();
        let again = org.create_key(new).await;
        assert!(matches!(again, Err(CreateKeyError::AlreadyCreated(id)) if id == first.id), "{again:?}");
        let renamed = with(secret_key("Other"), |_| {});
        assert!(matches!(org.create_key(renamed).await, Err(CreateKeyError::Limit(_))));
        engine.db().close().await;
    }
}

async fn limited(app: &TestApp, limits: Limits) -> Arc<Engine> {
    app.another_engine(|settings| settings.limits = limits)
        .await
}

/// Returns how many of twelve concurrent calls succeed, and the errors of the others.
async fn concurrently<T, E, F>(call: impl Fn(usize) -> F) -> (usize, Vec<E>)
where
    T: Send + 'static,
    E: Debug + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let calls: Vec<_> = (0..12).map(|number| tokio::spawn(call(number))).collect();
    let (mut done, mut errors) = (0, vec![]);
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => errors.push(error),
        }
    }
    (done, errors)
}

/// Returns an import file with this many keys, each with this many domains.
fn file(name: &str, keys: usize, domains: usize) -> String {
    let mut file = "name,sha256,kind,domains\n".to_owned();
    for number in 0..keys {
        let sha256: String = Sha256::digest(format!("{name} {number}"))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let domains: Vec<String> = (0..domains)
            .map(|domain| format!("{name}{domain}.example"))
            .collect();
        let kind = if domains.is_empty() {
            "secret"
        } else {
            "widget"
        };
        file += &format!("Key {number},{sha256},{kind},{}\n", domains.join(";"));
    }
    file
}
