//! The lifecycle of the operator's service tokens.

use latchkey::{
    Engine,
    access::Operator,
    feed,
    id::ServiceTokenId,
    key::text::PlainKey,
    service_tokens::{self, NewToken, RevokeTokenError, TokenScope, recognise},
    time::{DAY, MINUTE},
};

use crate::test_app::{NOON, TestApp};

on_both! {
    async fn a_token_works_until_it_expires(app: &TestApp) {
        let token = create(&app.engine, Some(30)).await;
        assert!(is_known(&app.engine, &token).await);
        app.clock.advance(30 * DAY - 1);
        assert!(is_known(&app.engine, &token).await);
        app.clock.advance(1);
        assert!(!is_known(&app.engine, &token).await);
    }

    async fn a_revoked_token_is_out_at_once_and_on_other_instances_with_the_feed(app: &TestApp) {
        let (token, other) = (create(&app.engine, None).await, app.another_engine(|_| {}).await);
        feed::start(&other).await.unwrap();
        assert!(is_known(&app.engine, &token).await && is_known(&other, &token).await);
        let id = service_tokens::list(app.engine.db(), &OPERATOR).await.unwrap()[0].id;
        service_tokens::revoke(&app.engine, &OPERATOR, id).await.unwrap();
        assert!(!is_known(&app.engine, &token).await);
        feed::catch_up(&other).await.unwrap();
        assert!(!is_known(&other, &token).await);
        app.clock.advance(MINUTE);
        let again = service_tokens::revoke(&app.engine, &OPERATOR, id).await;
        assert!(matches!(again, Err(RevokeTokenError::AlreadyRevoked(NOON))), "{again:?}");
        let none = service_tokens::revoke(&app.engine, &OPERATOR, ServiceTokenId::new(0, [0; 10])).await;
        assert!(matches!(none, Err(RevokeTokenError::NotFound)), "{none:?}");
    }

    async fn a_list_says_when_each_was_last_used_and_how_it_is(app: &TestApp) {
        let used = create(&app.engine, Some(1)).await;
        app.clock.advance(MINUTE);
        create(&app.engine, None).await;
        assert!(is_known(&app.engine, &used).await);
        service_tokens::store_last_use(&app.engine).await.unwrap();
        let list = service_tokens::list(app.engine.db(), &OPERATOR).await.unwrap();
        assert_eq!(list.iter().map(|token| token.last_used_at).collect::<Vec<_>>(), [Some(NOON.plus(MINUTE)), None]);
        service_tokens::revoke(&app.engine, &OPERATOR, list[1].id).await.unwrap();
        let list = service_tokens::list(app.engine.db(), &OPERATOR).await.unwrap();
        let at = |days: i64| list.iter().map(|token| token.status(NOON.plus(days * DAY))).collect::<Vec<_>>();
        assert_eq!(at(0), ["active", "revoked"]);
        assert_eq!(at(1), ["expired", "revoked"]);
    }
}

const OPERATOR: Operator = Operator::at_the_command_line();

async fn create(engine: &Engine, days: Option<i64>) -> PlainKey {
    let ends = days.map(|days| engine.clock().now().plus(days * DAY));
    let name = "API".parse().unwrap();
    let new = NewToken {
        name,
        scope: TokenScope::Verify,
        expires_at: ends,
        creation_token: None,
    };
    service_tokens::create_for_instance(engine, &OPERATOR, new)
        .await
        .unwrap()
        .plain
}

async fn is_known(engine: &Engine, token: &PlainKey) -> bool {
    recognise(engine, token).await.unwrap().is_some()
}
