//! Changes to an org's data: whatever happens to the request, memory matches the database.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use latchkey::{
    Engine,
    agents::{create::create as create_agent, delete::delete as delete_agent, edit as agent_edit},
    id::KeyId,
    key::settings::SettingsChange,
    key::{RevokeReason, text::PlainKey},
    keys::{
        change_state::{disable, disable_many, enable, revoke, revoke_many},
        create::create,
        edit::{DomainsChange, EditDomains, edit, edit_domains},
        import::{Format, import},
        rotate::{Rotation, end_old_secret, rotate},
    },
    orgs::settings::{self, OrgSettings},
    revision::Known,
    time::SECOND,
    verify::{Request, verify},
};
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;

use crate::test_app::{
    Database, TestApp, TestOrg,
    org::{agent, secret_key, widget_key},
    said,
};

/// The number of times that each kind of change is dropped; `cargo xtask test --long` sets a higher number.
fn tries() -> usize {
    let long = std::env::var("LATCHKEY_TEST_TRIES").ok();
    long.and_then(|tries| tries.parse().ok()).unwrap_or(100)
}

/// A future that is dropped after this many polls.
pub(super) struct Dropped<F> {
    pub future: Option<Pin<Box<F>>>,
    pub polls: usize,
}

impl<F: Future> Future for Dropped<F> {
    /// The output of the future, or `None` if it was dropped.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            self.future = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match &mut self.future {
            Some(future) => future.as_mut().poll(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}

/// Whether all transactions on Postgres end. A rollback takes a moment.
async fn every_transaction_ends(app: &TestApp) -> bool {
    const OPEN: &str = "SELECT query FROM pg_stat_activity \
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    for _ in 0..200 {
        if app.database.texts(OPEN).await.is_empty() {
            return true;
        }
        sleep(Duration::from_millis(10)).await;
    }
    false
}

/// Drops a change after one poll, then after two, and so on, and starts again once it has completed. Each time, memory
/// has to match the database.
async fn drop_at_every_await<F: Future>(
    app: &TestApp,
    mut prepare: impl AsyncFnMut(usize) -> (KeyId, PlainKey),
    change: impl Fn(Engine, KeyId) -> F,
    request: impl for<'a> Fn(&'a PlainKey) -> Request<'a>,
) {
    let mut polls = 1;
    let (mut dropped, mut done) = (0, 0);
    for number in 0..tries() {
        // Keeps the requests below the key's rate limit.
        app.clock.advance(SECOND);
        let (id, plain) = prepare(number).await;
        let request = request(&plain);
        verify(&app.engine, &request).await.unwrap();
        let change = Dropped {
            future: Some(Box::pin(change((*app.engine).clone(), id))),
            polls,
        };
        match change.await {
            None => {
                dropped += 1;
                polls += 1;
            }
            Some(_) => {
                done += 1;
                polls = 1;
            }
        }
        app.engine.finish().await.unwrap();
        let in_memory = said(&verify(&app.engine, &request).await.unwrap());
        let fresh = app.fresh_engine();
        let in_database = said(&verify(&fresh, &request).await.unwrap());
        assert_eq!(in_memory, in_database, "try {number}, {polls} polls");
    }
    assert!(dropped > 0 && done > 0, "{dropped} dropped, {done} done");
}

fn plain(key: &PlainKey) -> Request<'_> {
    Request {
        key: Some(key),
        ..Request::default()
    }
}

async fn new_key(org: &TestOrg) -> (KeyId, PlainKey) {
    let made = org.create_key(secret_key("Production")).await.unwrap();
    (made.id, made.plain)
}

on_both! {
    async fn a_change_that_is_dropped_while_it_begins_leaves_no_transaction_open(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        for polls in (1..=5).cycle().take(60) {
            let permit = org.permit();
            let change = disable(&app.engine, &permit, key);
            Dropped { future: Some(Box::pin(change)), polls }.await;
            if let Database::Postgres { .. } = app.database {
                // The queued rollback is sent when the connection returns to the pool.
                sleep(Duration::from_millis(10)).await;
                assert!(every_transaction_ends(app).await, "after {polls} polls");
            }
        }
    }

    async fn those_who_hang_up_while_they_wait_for_a_connection_leave_the_queue(app: &TestApp) {
        let org = app.org("northwind").await;
        let key = org.key("Production").await.id;
        let held = app.database.hold_keys().await;
        let begin = || {
            let (engine, permit) = (Arc::clone(&app.engine), org.permit());
            async move { disable(&engine, &permit, key).await }
        };
        let waiting: Vec<_> = (0..16).map(|_| tokio::spawn(begin())).collect();
        sleep(Duration::from_millis(200)).await;
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.num_alive_tasks();
        for _ in 0..500 {
            let _ = futures_util::poll!(Box::pin(begin()));
        }
        let left = metrics.num_alive_tasks().saturating_sub(before);
        drop(held);
        for waiting in waiting {
            // Of several requests that disable the same key concurrently, only one finds it active.
            let _ = waiting.await.unwrap();
        }
        assert!(left < 20, "{left} tasks are left over");
    }

    async fn a_dropped_disable_enable_or_revoke_leaves_memory_right(app: &TestApp) {
        let org = app.org("northwind").await;
        drop_at_every_await(app, async |_| new_key(&org).await,
            |engine, id| { let permit = org.permit(); async move { disable(&engine, &permit, id).await } }, plain).await;
        drop_at_every_await(app, async |_| {
            let key = new_key(&org).await;
            disable(&app.engine, &org.permit(), key.0).await.unwrap();
            key
        }, |engine, id| { let permit = org.permit(); async move { enable(&engine, &permit, id).await } }, plain).await;
        drop_at_every_await(app, async |_| new_key(&org).await, |engine, id| {
            let permit = org.permit();
            async move { revoke(&engine, &permit, id, RevokeReason::Compromised).await }
        }, plain).await;
    }

    async fn a_dropped_change_of_many_leaves_memory_right(app: &TestApp) {
        let org = app.org("northwind").await;
        drop_at_every_await(app, async |_| new_key(&org).await,
            |engine, id| { let permit = org.permit(); async move { disable_many(&engine, &permit, &[id]).await } }, plain).await;
        drop_at_every_await(app, async |_| new_key(&org).await, |engine, id| {
            let permit = org.permit();
            async move { revoke_many(&engine, &permit, &[id], RevokeReason::Unused).await }
        }, plain).await;
    }

    async fn a_dropped_edit_leaves_memory_right(app: &TestApp) {
        let org = app.org("northwind").await;
        drop_at_every_await(app, async |_| new_key(&org).await, |engine, id| {
            let (permit, to_domains) = (org.permit(), org.permit());
            let narrower = SettingsChange { scopes: Some(vec!["bots:read".parse().unwrap()]), ..SettingsChange::default() };
            async move { edit(&engine, &permit, &to_domains, id, narrower, &Known::Nothing).await }
        }, |key| {
            static WRITE: std::sync::LazyLock<[latchkey::convention::Scope; 1]> =
                std::sync::LazyLock::new(|| ["bots:write".parse().unwrap()]);
            Request { scopes: &*WRITE, ..plain(key) }
        }).await;
        drop_at_every_await(app, async |_| {
            let made = org.create_key(widget_key("Shop", &["shop.example", "other.example"])).await.unwrap();
            (made.id, made.plain)
        }, |engine, id| {
            let permit = org.permit();
            let change = DomainsChange::Remove(vec!["shop.example".parse().unwrap()]);
            let fewer = EditDomains { domains: Some(change), ..EditDomains::default() };
            async move { edit_domains(&engine, &permit, id, fewer).await }
        }, |key| Request { origin: Some("https://shop.example"), ..plain(key) }).await;
    }

    async fn a_dropped_rotation_leaves_memory_right(app: &TestApp) {
        let org = app.org("northwind").await;
        drop_at_every_await(app, async |_| new_key(&org).await, |engine, id| {
            let permit = org.permit();
            async move { rotate(&engine, &permit, id, Rotation { overlap: 0, token: None }).await }
        }, plain).await;
        drop_at_every_await(app, async |_| {
            let key = new_key(&org).await;
            app.clock.advance(2 * SECOND);
            rotate(&app.engine, &org.permit(), key.0, Rotation { overlap: 86_400 * SECOND, token: None }).await.unwrap();
            key
        }, |engine, id| { let permit = org.permit(); async move { end_old_secret(&engine, &permit, id).await } }, plain).await;
    }

    async fn a_dropped_import_leaves_memory_right(app: &TestApp) {
        let org = app.org("northwind").await;
        let elsewhere = |number: usize| PlainKey::from_presented(format!("other_{number:032}"));
        let (any, _) = new_key(&org).await;
        let number = std::cell::Cell::new(0);
        drop_at_every_await(app, async |tried| { number.set(tried); (any, elsewhere(tried)) }, |engine, _| {
            let permit = org.permit();
            let digest: String = Sha256::digest(elsewhere(number.get()).expose()).iter().map(|byte| format!("{byte:02x}")).collect();
            async move { import(&engine, &permit, Format::Csv, &format!("name,sha256\nOld,{digest}\n"), false).await }
        }, plain).await;
    }

    async fn a_dropped_change_of_an_agent_or_the_org_leaves_memory_right(app: &TestApp) {
        let org = app.org("northwind").await;
        let (any, secret) = new_key(&org).await;
        let current = std::sync::Mutex::new(None);
        for deletes in [false, true] {
            drop_at_every_await(app, async |_| {
                let made = create_agent(&app.engine, &org.permit(), &agent("Helper", &["shop.example"])).await.unwrap();
                *current.lock().unwrap() = Some(made.public_id);
                (any, PlainKey::from_presented(secret.expose()))
            }, |engine, _| {
                let (permit, public_id) = (org.permit(), current.lock().unwrap().unwrap());
                let change = agent_edit::EditAgent { domains: Some(vec!["other.example".parse().unwrap()]), ..Default::default() };
                async move {
                    if deletes {
                        delete_agent(&engine, &permit, public_id).await
                    } else {
                        agent_edit::edit(&engine, &permit, public_id, change).await
                    }
                }
            }, |key| {
                let public_id: &'static str = current.lock().unwrap().unwrap().to_string().leak();
                Request { agent: Some(public_id), origin: Some("https://shop.example"), ..plain(key) }
            }).await;
        }
        let allows = std::cell::Cell::new(false);
        drop_at_every_await(app, async |_| {
            allows.set(!allows.get());
            (any, PlainKey::from_presented(secret.expose()))
        }, |engine, _| {
            let permit = org.permit();
            let settings = OrgSettings { name: "Northwind".parse().unwrap(), secrets_in_browsers: allows.get() };
            async move { settings::change(&engine, &permit, settings, &Known::Nothing).await }
        }, |key| Request { origin: Some("https://shop.example"), ..plain(key) }).await;
    }

    async fn a_dropped_creation_is_whole_or_not_there(app: &TestApp) {
        let org = app.org("northwind").await;
        for polls in 1..=tries() {
            let (engine, permit) = (Arc::clone(&app.engine), org.permit());
            let creating = Box::pin(async move { create(&engine, &permit, secret_key("Production")).await });
            let done = Dropped { future: Some(creating), polls: polls % 12 + 1 }.await;
            app.engine.finish().await.unwrap();
            if let Some(made) = done {
                assert_eq!(said(&app.verify(&made.unwrap().plain).await), "VALID");
            }
        }
        let count = async |sql: &str| app.database.number(sql).await;
        let keys = count("SELECT COUNT(*) FROM keys").await;
        assert_eq!(count("SELECT COUNT(*) FROM key_secrets").await, keys);
        assert_eq!(count("SELECT COUNT(*) FROM audit_log WHERE event = 'key.created'").await, keys);
    }
}
