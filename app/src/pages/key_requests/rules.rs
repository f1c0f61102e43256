//! What the keys of requests must comply with, and what prevents one from being created.

use latchkey::{
    Engine,
    access::{Membership, to},
    id::ProjectId,
    key::settings::InvalidKeyField,
    key_requests::{
        AskError, KeyRequest, State, check, count_approved, hand_over::list_own, list_approved,
    },
    keys::project::{ProjectChoice, choices},
    orgs::policies,
    policy::KeyPolicy,
};

use crate::error::AppError;

/// The rules of an organization.
pub struct Rules<'a> {
    engine: &'a Engine,
    policy: KeyPolicy,
    /// The projects, for users who see them.
    projects: Option<Vec<ProjectChoice>>,
}

impl<'a> Rules<'a> {
    /// Loads the rules.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn load(engine: &'a Engine, membership: &Membership) -> Result<Self, AppError> {
        let permit = membership.permit::<to::SeeKeys>()?;
        let policy = policies::read(engine, &permit).await?;
        let projects = match membership.permit_if_allowed() {
            Some(permit) => Some(choices(engine, &permit).await?),
            None => None,
        };
        Ok(Self {
            engine,
            policy,
            projects,
        })
    }

    /// The name of a project, for users who see projects.
    pub fn project(&self, id: Option<ProjectId>) -> Option<String> {
        let projects = self.projects.as_ref()?;
        let found = projects.iter().find(|project| Some(project.id) == id);
        Some(found.map_or_else(
            || "Deleted project".to_owned(),
            |project| project.name.to_string(),
        ))
    }

    /// Why the key of a request that waits could not be created now: sentences that say what to change. None for a request
    /// that has ended.
    pub fn obstacles(&self, request: &KeyRequest) -> Vec<String> {
        if !matches!(request.state, State::Open | State::Approved) {
            return Vec::new();
        }
        let rules = (self.engine.convention(), &self.policy);
        let now = self.engine.clock().now();
        let mut sentences = match check(rules, request.wanted.clone(), now) {
            Ok(_) => Vec::new(),
            Err(AskError::InvalidFields(wrong)) => wrong.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        let project = request.wanted.settings.project;
        let mut projects = self.projects.iter().flatten();
        if self.projects.is_some() && !projects.any(|offered| Some(offered.id) == project) {
            sentences.push(InvalidKeyField::NoSuchProject.to_string());
        }
        sentences
    }
}

/// The number of keys and new secrets that the user can reveal now.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_revealable(engine: &Engine, membership: &Membership) -> Result<i64, AppError> {
    let permit = membership.permit()?;
    let secrets = list_own(engine, &permit).await?.len() as i64;
    // Shown on every page, and mostly zero.
    if count_approved(engine, &permit).await? == 0 {
        return Ok(secrets);
    }
    let rules = Rules::load(engine, membership).await?;
    let approved = list_approved(engine, &permit).await?;
    let can_be = |request: &&KeyRequest| rules.obstacles(request).is_empty();
    Ok(approved.iter().filter(can_be).count() as i64 + secrets)
}
