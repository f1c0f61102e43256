//! A database that the first version created, opened by the current version.

use std::sync::Arc;

use latchkey::{
    Engine, EngineSettings,
    access::Operator,
    accounts::{
        SignUpPolicy,
        password::{PasswordCost, TypedPassword},
        sign_in::sign_in,
    },
    audit,
    caller::Visit,
    clock::Clock,
    convention::Convention,
    db::Db,
    key::{
        digest::{Pepper, Peppers},
        text::PlainKey,
    },
    keys::list::{KeyQuery, list},
    limits::Limits,
    orgs::{self, OrgPolicy},
    random::Randomness,
    service_tokens::recognise,
    usage::{
        flush::flush,
        kept::Kept,
        question::Question,
        report::{self, Range},
    },
    verify::{Request, verify},
};

use crate::test_app::{Database, NOON, org::PASSWORD, said};

const KEY: &str = "lk_sk_live_0123456789abcdefghijklmnop4EmvRy";
const TOKEN: &str = "lk_service_0123456789abcdefghijklmnop1VXMhh";
/// The hash of [`PASSWORD`] as stored by the first version.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$bGF0Y2hrZXkgdGVzdCAwMQ$vWCfrOgDPb9wTRGemNMZMC8WDDaTKEO4INuOERj7ugQ";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_first_version_stored_works_on_sqlite() {
    works_after_the_upgrade(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_first_version_stored_works_on_postgres() {
    works_after_the_upgrade(Database::postgres_without_tables().await).await;
}

async fn works_after_the_upgrade(database: Database) {
    database.apply_first_migration().await;
    let peppers = || Peppers::new(Pepper::new(1, &[7; 32]).unwrap(), vec![]);
    let [key, token] = [KEY, TOKEN].map(PlainKey::from_presented);
    populate(&database, peppers(), &key, &token).await;

    let db = Db::open(&database.url()).await.unwrap();
    assert_eq!(db.pending_migrations().await.unwrap(), 0);
    let settings = EngineSettings {
        db,
        peppers: peppers(),
        convention: Convention::built_in("latchkey").unwrap(),
        sign_up: SignUpPolicy::Invite,
        organizations: OrgPolicy::Operators,
        cached_keys: 100,
        limits: Limits::default(),
        usage_kept: Kept::default(),
        sends_mail: false,
        password_cost: PasswordCost::default(),
        clock: Clock::manual(NOON),
        random: Randomness::seeded(1),
    };
    let engine = Arc::new(Engine::start(settings).unwrap());

    let request = Request {
        key: Some(&key),
        ..Request::default()
    };
    let answer = verify(&engine, &request).await.unwrap();
    assert_eq!(said(&answer), "VALID");
    assert_eq!(answer.key.unwrap().settings.name.as_str(), "Production");
    assert!(recognise(&engine, &token).await.unwrap().is_some());
    let email = "dana@northwind.example".parse().unwrap();
    sign_in(
        &engine,
        &email,
        TypedPassword::new(PASSWORD),
        &Visit::default(),
        "",
    )
    .await
    .unwrap();

    let operator = Operator::at_the_command_line();
    let org = orgs::find(&engine, &operator, &"northwind".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let query = KeyQuery {
        page_size: 10,
        ..KeyQuery::default()
    };
    let page = list(&engine, &operator.permit(&org), &query).await.unwrap();
    assert_eq!(page.keys.len(), 1);
    flush(&engine).await.unwrap();
    let report = report::of_org(
        &engine,
        &operator.permit(&org),
        &Question::of_range(Range::Hours24),
    )
    .await
    .unwrap();
    assert_eq!(
        report.total.passed,
        5 + 1,
        "the stored requests and the one of this test"
    );
    let display = "SELECT COUNT(*) FROM key_secrets JOIN keys ON keys.id = key_id WHERE key_secrets.display = keys.display";
    assert_eq!(database.number(display).await, 1);

    assert_eq!(audit::verify(&engine, None).await.unwrap().count, 0);
    crate::test_app::TestOrg::make(&engine, "contoso")
        .await
        .key("New")
        .await;
    assert_eq!(audit::verify(&engine, None).await.unwrap().count, 2);
    engine.db().close().await;
    database.remove().await;
}

/// Stores what the statements of the first version would have stored.
async fn populate(database: &Database, peppers: Peppers, key: &PlainKey, token: &PlainKey) {
    const ID: &str = "0191e9a0000070008000000000000000";
    let at = NOON.as_millis() - 3_600_000;
    let (key_digest, token_digest) = (peppers.digest(key), peppers.digest(token));
    let (key_digest, token_digest) = (
        database.blob(key_digest.as_bytes()),
        database.blob(token_digest.as_bytes()),
    );
    for sql in [
        format!(
            "INSERT INTO orgs (id, slug, name, created_at) VALUES ('org_{ID}', 'northwind', 'Northwind', {at})"
        ),
        format!(
            "INSERT INTO users (id, email, name, password_hash, created_at) \
             VALUES ('usr_{ID}', 'dana@northwind.example', 'Dana', '{PASSWORD_HASH}', {at})"
        ),
        format!(
            "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ('org_{ID}', 'usr_{ID}', 'owner', {at})"
        ),
        format!(
            "INSERT INTO projects (id, org_id, name, created_at) VALUES ('prj_{ID}', 'org_{ID}', 'Default', {at})"
        ),
        format!(
            "INSERT INTO keys (id, org_id, project_id, name, search, kind, environment, display, created_at, created_by) \
             VALUES ('key_{ID}', 'org_{ID}', 'prj_{ID}', 'Production', 'production lk_sk_live_••••••••mvry', 'secret', 'live', \
             'lk_sk_live_••••••••mvRy', {at}, 'usr_{ID}')"
        ),
        format!(
            "INSERT INTO key_secrets (id, key_id, digest, pepper_version, created_at) \
             VALUES ('sec_{ID}', 'key_{ID}', {key_digest}, 1, {at})"
        ),
        format!(
            "INSERT INTO service_tokens (id, name, scope, digest, pepper_version, display, created_at) \
             VALUES ('svc_{ID}', 'API', 'verify', {token_digest}, 1, 'lk_service_••••••••XMhh', {at})"
        ),
        format!(
            "INSERT INTO usage_counts (org_id, resolution, starts_at, key_id, class, outcome, count) \
             VALUES ('org_{ID}', 'hour', {at}, 'key_{ID}', 'default', 'VALID', 5)"
        ),
        format!(
            "INSERT INTO usage_batches (instance, batch, flushed_at) VALUES ('ins_{ID}', 1, {at})"
        ),
    ] {
        database.execute(&sql).await;
    }
}
