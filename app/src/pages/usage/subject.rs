//! What the heading of the usage page says of the filters: the requests of which keys, agents and projects are shown.

use std::collections::HashMap;

use latchkey::{
    Engine,
    access::{Membership, to},
    agents,
    key::Environment,
    keys::{KeySummary, show::summaries},
    outcome::{Outcome, OutcomeGroup},
    usage::question::{Credential, Dimension, Filters},
};

use super::{choices::Choices, words::group_name};
use crate::{
    error::AppError,
    text::{number::grouped, words::listed},
};

/// The most keys, agents, projects or outcomes whose names are listed. Of more, the heading has the number.
const MOST: usize = 3;

/// What is shown: "All keys", or "Requests of Website widget (lk_pk_live_3fGh••••••••abcd) in Shop: Live".
///
/// # Errors
/// If the role does not allow it, or the database cannot be reached.
pub async fn subject(
    engine: &Engine,
    membership: &Membership,
    filters: &Filters,
    choices: &Choices,
) -> Result<String, AppError> {
    if *filters == Filters::default() {
        return Ok("All keys".to_owned());
    }
    let mut of = Vec::new();
    if !filters.keys.is_empty() {
        let names = key_names(engine, membership, filters).await?;
        of.push(named(&names, filters.keys.len(), "keys"));
    }
    if !filters.agents.is_empty() {
        let names = agent_names(engine, membership, filters).await?;
        of.push(named(&names, filters.agents.len(), "agents"));
    }
    let of = match of.is_empty() {
        true => "Requests".to_owned(),
        false => format!("Requests of {}", of.join(" and ")),
    };
    let projects: HashMap<&str, &str> = choices
        .projects
        .iter()
        .map(|(id, name)| (id.as_str(), name.as_str()))
        .collect();
    let projects: Vec<String> = filters
        .projects
        .iter()
        .filter_map(|id| projects.get(id.to_string().as_str()).copied())
        .map(str::to_owned)
        .collect();
    let within = match projects.is_empty() {
        true => String::new(),
        false => format!(" in {}", named(&projects, projects.len(), "projects")),
    };
    let narrowed = narrowed(filters, choices);
    let narrowed = match narrowed.is_empty() {
        true => String::new(),
        false => format!(": {}", narrowed.join(", ")),
    };
    Ok(format!("{of}{within}{narrowed}"))
}

/// A key among others that can have the same name: "Website widget (lk_pk_live_3fGh••••••••abcd)".
pub fn told_apart(key: &KeySummary) -> String {
    format!("{} ({})", key.name, key.display)
}

async fn key_names(
    engine: &Engine,
    membership: &Membership,
    filters: &Filters,
) -> Result<Vec<String>, AppError> {
    let shown = &filters.keys[..filters.keys.len().min(MOST)];
    // What is shown of a secret is for those who see the details of keys.
    membership.permit::<to::SeeUsageDetails>()?;
    let mut keys = summaries(engine, &membership.permit()?, shown).await?;
    keys.sort_by_key(|key| shown.iter().position(|id| *id == key.id));
    Ok(keys.iter().map(told_apart).collect())
}

async fn agent_names(
    engine: &Engine,
    membership: &Membership,
    filters: &Filters,
) -> Result<Vec<String>, AppError> {
    let mut names = Vec::new();
    for id in filters.agents.iter().take(MOST) {
        let agent = agents::show::summary(engine, &membership.permit()?, *id).await?;
        names.extend(agent.map(|agent| format!("{} ({})", agent.name, agent.public_id)));
    }
    Ok(names)
}

/// Environments, types, endpoint classes and outcomes.
fn narrowed(filters: &Filters, choices: &Choices) -> Vec<String> {
    let name = |by, word: &str| group_name(&choices.kind_names, by, word, word);
    let environments = filters
        .environments
        .iter()
        .copied()
        .map(Environment::as_str);
    let environments = environments.map(|word| name(Dimension::Environment, word));
    let kinds = filters.kinds.iter().copied().map(Credential::as_str);
    let kinds = kinds.map(|word| name(Dimension::Kind, word));
    environments
        .chain(kinds)
        .chain(filters.classes.iter().cloned())
        .chain(outcomes(&filters.outcomes))
        .collect()
}

/// The outcomes, as the legend of the chart names them where all of a group are counted.
fn outcomes(chosen: &[Outcome]) -> Vec<String> {
    let mut rest: Vec<Outcome> = chosen.to_vec();
    let mut names = Vec::new();
    for (group, name) in [
        (OutcomeGroup::Passed, "Passed"),
        (OutcomeGroup::Limited, "Rate limited"),
        (OutcomeGroup::Refused, "Rejected"),
    ] {
        let mut of_group = Outcome::ALL
            .iter()
            .filter(|outcome| outcome.group() == group);
        if of_group.all(|outcome| rest.contains(outcome)) {
            rest.retain(|outcome| outcome.group() != group);
            names.push(name.to_owned());
        }
    }
    if rest.len() > MOST {
        names.push(named(&[], rest.len(), "outcomes"));
    } else {
        names.extend(rest.iter().map(|outcome| outcome.title().to_owned()));
    }
    names
}

/// "A", "A and B", or "5 keys" if there are more than can be listed, or more than have names.
fn named(names: &[String], count: usize, several: &str) -> String {
    match listed(names) {
        Some(text) if names.len() == count && count <= MOST => text,
        _ => format!("{} {several}", grouped(count as i64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_the_names_of_their_groups_where_all_of_one_are_counted() {
        let of = |outcomes_: &[Outcome]| outcomes(outcomes_).join(", ");
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[Outcome::Valid]), "Passed");
        assert_eq!(
            of(&[Outcome::ExpiredApiKey, Outcome::Valid]),
            "Passed, Expired"
        );
        assert_eq!(of(Outcome::ALL), "Passed, Rate limited, Rejected");
        let refused = Outcome::ALL
            .iter()
            .filter(|outcome| outcome.group() == OutcomeGroup::Refused);
        let all_but_one: Vec<Outcome> = refused.skip(1).copied().collect();
        assert_eq!(of(&all_but_one), format!("{} outcomes", all_but_one.len()));
    }
}
