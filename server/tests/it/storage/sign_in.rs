//! Signing in.

use latchkey::{
    accounts::{password::TypedPassword, sign_in::sign_in},
    caller::Visit,
    role::Role,
};

use super::sign_in_budgets::{DANA, HOME, try_password, visit};
use crate::test_app::{TestApp, only_step, org::PASSWORD};

on_both! {
    async fn the_right_password_signs_in(app: &TestApp) {
        let dana = app.org("northwind").await.person("dana", Role::Member).await;
        let email = " Dana@Northwind.Example ".parse().unwrap();
        let step = sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &visit(HOME), "").await.unwrap();
        assert_eq!(only_step(step).user_id, dana);
        let nowhere = Visit::default();
        sign_in(&app.engine, &email, TypedPassword::new(PASSWORD), &nowhere, "").await.unwrap();
    }

    async fn a_wrong_password_and_an_unknown_address_are_answered_alike(app: &TestApp) {
        app.org("northwind").await.person("dana", Role::Member).await;
        let wrong = try_password(&app.engine, DANA, "wrong password", HOME, "").await;
        let unknown = try_password(&app.engine, "nobody@northwind.example", PASSWORD, HOME, "").await;
        assert_eq!(wrong, "The e-mail address or password is incorrect.");
        assert_eq!(wrong, unknown);
        for near in ["", "marmalade on a tuesda", "marmalade on a tuesday ", "Marmalade on a tuesday"] {
            assert_eq!(try_password(&app.engine, DANA, near, HOME, "").await, wrong, "{near}");
        }
    }
}
