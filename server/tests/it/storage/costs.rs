//! What some things cost, printed: `cargo test … -- --ignored costs --nocapture`.

use std::{sync::Arc, time::Instant};

use latchkey::{
    allowed_origins,
    keys::import::{self, Format},
    limits::Limits,
};
use sha2::{Digest, Sha256};

use crate::test_app::{
    TestApp, TestOrg,
    org::{secret_key, widget_key},
};

macro_rules! timed {
    ($what:expr, $work:expr) => {{
        let begun = Instant::now();
        let result = $work;
        println!("{:>8.1} ms  {}", begun.elapsed().as_secs_f64() * 1e3, $what);
        result
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn costs_on_sqlite() {
    let app = TestApp::on_sqlite().await;
    costs(&app).await;
    app.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn costs_on_postgres() {
    let app = TestApp::on_postgres_under("latchkey").await;
    costs(&app).await;
    app.remove().await;
}

async fn costs(app: &TestApp) {
    let (large, small) = (app.org("northwind").await, app.org("contoso").await);
    for _ in 0..3 {
        timed!(
            "create a key in an org with none",
            large.create_key(secret_key("One")).await.unwrap()
        );
    }
    timed!("import 9,999 keys", run(app, &large, 1, 9_999).await);
    for _ in 0..3 {
        timed!(
            "create a key in an org with 10,000",
            large.create_key(secret_key("One")).await.unwrap()
        );
        timed!(
            "create a key in an org with none",
            small.create_key(secret_key("One")).await.unwrap()
        );
    }
    let two: Vec<_> = (2..4)
        .map(|number| {
            let (engine, permit) = (
                Arc::clone(&app.engine),
                if number == 2 {
                    large.permit()
                } else {
                    small.permit()
                },
            );
            tokio::spawn(async move {
                import::import(&engine, &permit, Format::Csv, &file(number, 9_000), false).await
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let third = app.org("fabrikam").await;
    timed!(
        "import 10 keys beside two of 9,000",
        run(app, &third, 4, 10).await
    );
    timed!(
        "create a key beside them",
        third.create_key(secret_key("One")).await.unwrap()
    );
    for import in two {
        import.await.unwrap().unwrap();
    }
    let shop = third
        .create_key(widget_key("Shop", &["shop.example"]))
        .await
        .unwrap();
    for round in 0..3 {
        let engine = app.fresh_engine();
        timed!(
            "first look: all patterns of 28,000 keys",
            allowed_origins::allows(&engine, "https://shop.example")
                .await
                .unwrap()
        );
        timed!(
            "warm look",
            allowed_origins::allows(&engine, "https://shop.example")
                .await
                .unwrap()
        );
        let engine = &app.engine;
        allowed_origins::allows(engine, "https://shop.example")
            .await
            .unwrap();
        large
            .create_key(secret_key(&format!("Round {round}")))
            .await
            .unwrap();
        timed!(
            "look at what another org did not change",
            allowed_origins::allows(engine, "https://shop.example")
                .await
                .unwrap()
        );
        timed!(
            "look that needs the org with 19,000 keys read again",
            allowed_origins::allows(engine, "https://unknown.example")
                .await
                .unwrap()
        );
        third.create_key(secret_key("One")).await.unwrap();
        timed!(
            "look that needs an org with few keys read again",
            allowed_origins::allows(engine, "https://unknown.example")
                .await
                .unwrap()
        );
    }
    drop((shop, Limits::default()));
}

async fn run(app: &TestApp, org: &TestOrg, number: usize, keys: usize) {
    let report = import::import(
        &app.engine,
        &org.permit(),
        Format::Csv,
        &file(number, keys),
        false,
    )
    .await
    .unwrap();
    assert!(report.imported);
}

fn file(file: usize, keys: usize) -> String {
    let mut text = "name,sha256\n".to_owned();
    for number in 0..keys {
        let sha256: String = Sha256::digest(format!("{file} {number}"))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text += &format!("Key {number},{sha256}\n");
    }
    text
}
