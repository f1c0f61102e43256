//! The team: its people, what they did, and the use of their keys.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Operator, Org},
    key::text::PlainKey,
    orgs,
    role::Role,
};

use super::{
    error::{DemoError, failed},
    history::{History, Used},
    people::{SignIn, add_person},
    period::Period,
};

/// The team and its use.
#[derive(Debug)]
pub struct Team {
    pub org: Org,
    pub used: Vec<Used>,
    /// The service token with which all keys are verified.
    pub token: Option<PlainKey>,
}

/// Creates the team and lets its history happen.
pub async fn create(
    engine: &Arc<Engine>,
    period: Period,
    days: u32,
) -> Result<(Team, Vec<SignIn>), DemoError> {
    let operator = Operator::at_the_command_line();
    let name = "Northwind".parse().map_err(failed("the name is invalid"))?;
    let slug = "northwind".parse().map_err(failed("the name is invalid"))?;
    let created = orgs::create(engine, &operator, &name, &slug).await;
    let org = created.map_err(failed("the team was not created"))?;
    let mut sign_ins = Vec::new();
    let mut owner = None;
    for role in [Role::Owner, Role::Admin, Role::Member] {
        let (user, sign_in) = add_person(engine, &operator, &org, role).await?;
        owner = owner.or(Some(user));
        sign_ins.push(sign_in);
    }
    let Some(owner) = owner else {
        return Err(DemoError::NotEmpty);
    };
    let history = History {
        engine,
        org: &org,
        owner,
        period,
    };
    let (used, token) = history.happen(f64::from(days)).await?;
    Ok((Team { org, used, token }, sign_ins))
}
