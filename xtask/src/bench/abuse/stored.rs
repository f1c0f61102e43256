//! The data that the attacker stores in advance: keys, agents and audit log entries of the maximum size for one
//! request.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{
    attacks::{REST_AGENTS, REST_KEYS},
    payload,
    scene::Attacker,
};
use crate::bench::http::{Answer, JSON, Request};

/// The maximum number of items on a list page.
const KEYS_AND_AGENTS: usize = 100;
/// The number of changes to one key, which fill several pages of the audit log.
const CHANGES: usize = 150;
const PATIENCE: Duration = Duration::from_secs(30);

/// Stores the data.
pub fn store(attacker: &Attacker) -> Result<()> {
    let lists = [0, 1].map(payload::long_domains);
    let list = &lists[0];
    let key = format!("{{\"name\":\"Large\",\"kind\":\"widget\",\"domains\":{list}}}");
    let agent = format!("{{\"name\":\"Large\",\"domains\":{list}}}");
    let mut path = String::new();
    for _ in 0..KEYS_AND_AGENTS {
        let made = done(attacker, &attacker.by_program(REST_KEYS, key.clone()))?;
        let location = made.header("location").next();
        path = location.context("a new key has an address")?.to_owned();
        done(attacker, &attacker.by_program(REST_AGENTS, agent.clone()))?;
    }
    for number in 1..=CHANGES {
        let body = format!("{{\"domains\":{}}}", lists[number % 2]);
        let request = Request::patch(&path, JSON, body);
        done(attacker, &attacker.as_program(request))?;
    }
    Ok(())
}

fn done(attacker: &Attacker, request: &Request) -> Result<Answer> {
    let answer = attacker.site.ask(request, PATIENCE)?;
    ensure!(
        matches!(answer.status, 200 | 201),
        "storing the attacker's data failed with {}: {}",
        answer.status,
        answer.text()
    );
    Ok(answer)
}
