//! What owners promise and answer.

use latchkey::{
    keys::rotate::rotate,
    reviews::{self, AnswerError, AskState, Verdict},
    role::Role,
    time::DAY,
};

use super::{AT_ONCE, asked, create, find, new, permit, states};
use crate::test_app::{NOON, TestApp};

on_both! {
    async fn a_promise_keeps_the_request_open_until_it_is_done_or_answered(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (org.person("ada", Role::Admin).await, org.person("olga", Role::Owner).await);
        let (first, second) = (org.key("First").await.id, org.key("Second").await.id);
        let mut ids = Vec::new();
        for key in [first, second] {
            ids.push(create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap());
        }
        let owners = async || permit(app, &org, owner).await;
        for (text, days) in [("", 0), ("Next week", 3), ("Next week", 3)] {
            app.clock.advance(days * DAY);
            reviews::promise(&app.engine, &owners().await, ids[0], text.parse().unwrap()).await.unwrap();
        }
        let review = find(app, &org, ids[0]).await;
        let promise = review.promise.clone().unwrap();
        assert_eq!((promise.at, promise.text.as_str(), promise.by.name.as_deref()), (NOON, "Next week", Some("olga")), "since the first promise");
        assert_eq!((review.ask(app.clock.now()), review.answer), (Some(AskState::Open), None));
        assert_eq!((asked(app, &org).await, states(&org).await), (2, [0, 2, 0]));
        let entries = async |event: &str| app.database.texts(&format!("SELECT changes FROM audit_log WHERE event = '{event}'")).await;
        let promises = entries("key.review_promised").await;
        assert!(promises.len() == 2 && promises.iter().all(|changes| changes.contains("rotate") && !changes.contains("Next week")), "a repeat is one: {promises:?}");
        rotate(&app.engine, &org.permit(), first, AT_ONCE).await.unwrap();
        let review = find(app, &org, ids[0]).await;
        assert_eq!((review.ask(app.clock.now()), review.promise), (Some(AskState::Done), Some(promise)));
        assert!(entries("key.rotated").await[0].contains("\"done_as_asked\":{\"from\":null,\"to\":[\"rotate\"]}"), "{:?}", entries("key.rotated").await);
        assert!(matches!(reviews::promise(&app.engine, &owners().await, ids[0], "".parse().unwrap()).await, Err(AnswerError::NotOpen)));
        reviews::promise(&app.engine, &owners().await, ids[1], "On Monday".parse().unwrap()).await.unwrap();
        app.clock.advance(DAY);
        reviews::answer(&app.engine, &owners().await, ids[1], "It is another key".parse().unwrap()).await.unwrap();
        let review = find(app, &org, ids[1]).await;
        let (promise, answer) = (review.promise.clone().unwrap(), review.answer.clone().unwrap());
        assert_eq!(review.ask(app.clock.now()), Some(AskState::Answered));
        assert_eq!((promise.text.as_str(), promise.at, answer.text.as_str(), answer.at), ("On Monday", app.clock.now().plus(-DAY), "It is another key", app.clock.now()));
        assert_eq!((entries("key.review_answered").await.len(), asked(app, &org).await), (1, 0));
    }

    async fn an_owner_answers_once_and_the_key_is_to_be_reviewed_again(app: &TestApp) {
        let org = app.org("northwind").await;
        let (admin, owner) = (org.person("ada", Role::Admin).await, org.person("olga", Role::Owner).await);
        let key = org.key("Production").await.id;
        let id = create(app, &org, admin, key, new(Verdict::Rotate)).await.unwrap();
        let answer = async |text: &str| {
            let permit = permit(app, &org, owner).await;
            reviews::answer(&app.engine, &permit, id, text.parse().unwrap()).await
        };
        for empty in [" ", "\u{200b}", "\u{3164}\n\u{2800}"] {
            assert!(matches!(answer(empty).await, Err(AnswerError::Empty)), "{empty:?}");
        }
        answer("Only the build server has it").await.unwrap();
        assert!(matches!(answer("Again").await, Err(AnswerError::NotOpen)));
        let review = find(app, &org, id).await;
        let said = review.answer.clone().unwrap();
        assert_eq!((said.text.as_str(), said.by.name.as_deref()), ("Only the build server has it", Some("olga")));
        assert_eq!(review.ask(app.clock.now()), Some(AskState::Answered));
        assert_eq!((asked(app, &org).await, states(&org).await), (0, [1, 0, 0]));
        // What is done later is not what closed it.
        app.clock.advance(2_000);
        rotate(&app.engine, &org.permit(), key, AT_ONCE).await.unwrap();
        assert_eq!(find(app, &org, id).await.done, None);
        let keep = create(app, &org, admin, key, new(Verdict::Keep)).await.unwrap();
        assert!(matches!(reviews::answer(&app.engine, &org.permit(), keep, "No".parse().unwrap()).await, Err(AnswerError::NotOpen)));
    }
}
