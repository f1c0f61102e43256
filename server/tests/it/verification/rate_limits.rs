//! Rate limits: the number of requests in a sliding minute, per key and endpoint class.

use std::sync::Arc;

use latchkey::{
    Engine,
    agents::{AgentSettings, create::create as create_agent},
    convention::{ClassIndex, Convention},
    key::text::PlainKey,
    keys::{
        change_state::{disable, enable},
        rotate::{Rotation, rotate},
    },
    time::{HOUR, MINUTE, SECOND},
    usage::flush::flush,
    verify::{Request, verify},
};

use crate::test_app::{
    TestApp, TestOrg,
    org::{agent, secret_key, with},
    said,
};

on_both! {
    async fn what_is_above_the_limit_is_refused_until_a_minute_has_gone_by(app: &TestApp) {
        let engine = limited(app, &[("default", 3)]).await;
        let made = TestOrg::make(&engine, "northwind").await.key("Production").await;
        assert_eq!(ask_often(&engine, &made.plain, "default", 2).await, ["VALID 2 left", "VALID 1 left"]);
        app.clock.advance(20 * SECOND);
        assert_eq!(ask_often(&engine, &made.plain, "default", 2).await, ["VALID 0 left", "RATE_LIMITED 0 left"]);
        let refused = verify(&engine, &of_class(&engine, &made.plain, "default")).await.unwrap();
        assert_eq!(refused.rate_limit.unwrap().frees_in, 40 * SECOND);
        app.clock.advance(40 * SECOND);
        let answers = ask_often(&engine, &made.plain, "default", 3).await;
        assert_eq!(answers, ["VALID 1 left", "VALID 0 left", "RATE_LIMITED 0 left"], "the third came 20 s later");
    }

    async fn keys_and_classes_have_limits_of_their_own(app: &TestApp) {
        let engine = limited(app, &[("chat", 1), ("config", 2)]).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let (one, other) = (org.key("One").await, org.key("Other").await);
        assert_eq!(ask_often(&engine, &one.plain, "chat", 2).await, ["VALID 0 left", "RATE_LIMITED 0 left"]);
        assert_eq!(ask_often(&engine, &one.plain, "config", 1).await, ["VALID 1 left"]);
        assert_eq!(ask_often(&engine, &other.plain, "chat", 1).await, ["VALID 0 left"]);
    }

    async fn what_is_refused_for_something_else_costs_nothing(app: &TestApp) {
        let engine = limited(app, &[("default", 1)]).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let restricted = with(secret_key("Restricted"), |settings| settings.scopes = vec!["chat".parse().unwrap()]);
        let made = org.create_key(restricted).await.unwrap();
        let needs = ["analytics".parse().unwrap()];
        let too_much = Request { scopes: &needs, ..of_class(&engine, &made.plain, "default") };
        for _ in 0..3 {
            let answer = verify(&engine, &too_much).await.unwrap();
            assert_eq!((said(&answer).as_str(), answer.rate_limit), ("INSUFFICIENT_SCOPE analytics", None));
        }
        assert_eq!(ask_often(&engine, &made.plain, "default", 2).await, ["VALID 0 left", "RATE_LIMITED 0 left"]);
    }

    async fn changing_a_key_gives_it_no_fresh_limit(app: &TestApp) {
        let engine = limited(app, &[("default", 2)]).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let made = org.key("Production").await;
        assert_eq!(ask_often(&engine, &made.plain, "default", 1).await, ["VALID 1 left"]);
        disable(&engine, &org.permit(), made.id).await.unwrap();
        enable(&engine, &org.permit(), made.id).await.unwrap();
        let rotated = rotate(&engine, &org.permit(), made.id, Rotation { overlap: HOUR, token: None }).await.unwrap();
        assert_eq!(ask_often(&engine, &rotated.plain, "default", 1).await, ["VALID 0 left"]);
        assert_eq!(ask_often(&engine, &made.plain, "default", 1).await, ["RATE_LIMITED 0 left"]);
    }

    async fn pages_that_send_an_agents_public_id_alone_share_its_limit(app: &TestApp) {
        let engine = limited(app, &[("default", 1)]).await;
        let org = TestOrg::make(&engine, "northwind").await;
        let public = AgentSettings { public_embedding: true, ..agent("Support", &["shop.example"]) };
        let public_id = create_agent(&engine, &org.permit(), &public).await.unwrap().public_id.to_string();
        let request = Request { agent: Some(&public_id), origin: Some("https://shop.example"), ..Request::default() };
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(said(&verify(&engine, &request).await.unwrap()));
        }
        assert_eq!(answers, ["VALID", "RATE_LIMITED"]);
    }

    async fn of_many_at_once_no_more_than_the_limit_pass_and_each_is_counted(app: &TestApp) {
        let engine = limited(app, &[("default", 50)]).await;
        let made = TestOrg::make(&engine, "northwind").await.key("Production").await;
        let asking = (0..200).map(|_| {
            let (engine, plain) = (Arc::clone(&engine), PlainKey::from_presented(made.plain.expose()));
            tokio::spawn(async move { said(&verify(&engine, &of_class(&engine, &plain, "default")).await.unwrap()) })
        });
        let mut passed = 0;
        for answer in asking.collect::<Vec<_>>() {
            passed += usize::from(answer.await.unwrap() == "VALID");
        }
        assert_eq!(passed, 50);
        flush(&engine).await.unwrap();
        assert_eq!(app.outcomes().await, ["VALID 50", "RATE_LIMITED 150"]);
        app.clock.advance(2 * MINUTE);
        assert_eq!(ask_often(&engine, &made.plain, "default", 1).await, ["VALID 49 left"]);
    }
}

/// An engine whose convention has these classes. The first one is the default.
async fn limited(app: &TestApp, classes: &[(&str, u32)]) -> Arc<Engine> {
    let mut convention = Convention::built_in("corthex").unwrap();
    convention.default_class = classes[0].0.to_owned();
    convention.classes = classes
        .iter()
        .map(|(name, per_minute)| ((*name).to_owned(), (*per_minute).try_into().unwrap()))
        .collect();
    app.another_engine(|settings| settings.convention = convention)
        .await
}

fn of_class<'a>(engine: &Engine, key: &'a PlainKey, class: &str) -> Request<'a> {
    Request {
        key: Some(key),
        class: ClassIndex::find(engine.convention(), class).unwrap(),
        ..Request::default()
    }
}

async fn ask_often(engine: &Engine, key: &PlainKey, class: &str, times: usize) -> Vec<String> {
    let mut answers = Vec::new();
    for _ in 0..times {
        let answer = verify(engine, &of_class(engine, key, class)).await.unwrap();
        answers.push(format!(
            "{} {} left",
            said(&answer),
            answer.rate_limit.unwrap().remaining
        ));
    }
    answers
}
