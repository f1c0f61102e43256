//! `latchkey org`: manages organizations on the command line.

use std::io::Read as _;

use clap::Args;
use latchkey::{
    Engine,
    access::{Operator, Org},
    accounts::password::NewPassword,
    db::StorageError,
    name::{DisplayName, Slug},
    orgs::{
        self, CreateOrgError,
        delete::{self, what_ends},
    },
};

use super::error::CliError;
use crate::{settings::Settings, start};

#[derive(Debug, Args)]
pub struct NewOrg {
    /// The name.
    #[arg(long)]
    name: DisplayName,
    /// The name in URLs.
    #[arg(long)]
    slug: Slug,
}

#[derive(Debug, Args)]
pub struct DeletedOrg {
    /// The slug of the organization.
    slug: Slug,
}

/// Deletes an organization. A running server removes its rows.
pub async fn delete(settings: &Settings, deleted: DeletedOrg) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let org = find_org(&engine, &deleted.slug).await?;
    let permit = Operator::at_the_command_line().permit(&org);
    let failed =
        |error: StorageError| CliError::Failed("the organization was not deleted", error.into());
    let ends = what_ends(&engine, &permit).await.map_err(failed)?;
    delete::delete(&engine, &permit).await.map_err(failed)?;
    eprintln!(
        "Deleted the organization {} ({}). Its keys ({}, of which {} were used in the last 24 hours) and service tokens \
         ({}) are rejected within a second. The slug is not given to another organization.",
        org.name, org.id, ends.keys, ends.used_keys, ends.tokens
    );
    engine.db().close().await;
    Ok(())
}

/// Creates an organization and prints its slug.
pub async fn create(settings: &Settings, new: NewOrg) -> Result<(), CliError> {
    let engine = start::engine_without_older_peppers(settings).await?;
    let made = orgs::create(
        &engine,
        &Operator::at_the_command_line(),
        &new.name,
        &new.slug,
    )
    .await;
    let org = made.map_err(|error| match error {
        CreateOrgError::SlugTaken(_) => CliError::BadInput(error.to_string()),
        error => CliError::Failed("the organization was not created", error.into()),
    })?;
    println!("{}", org.slug);
    eprintln!("Created the organization {} ({}).", org.name, org.id);
    engine.db().close().await;
    Ok(())
}

/// Finds the organization with this slug.
pub(super) async fn find_org(engine: &Engine, slug: &Slug) -> Result<Org, CliError> {
    let found = orgs::find(engine, &Operator::at_the_command_line(), slug).await;
    found
        .map_err(|error| CliError::Failed("the organization could not be loaded", error.into()))?
        .ok_or_else(|| {
            CliError::BadInput(format!(
                "Organization `{slug}` was not found. Create it with `latchkey org create`."
            ))
        })
}

/// Reads a new password from the first line of standard input.
pub(super) fn read_password() -> Result<NewPassword, CliError> {
    let mut text = String::new();
    let read = std::io::stdin()
        .lock()
        .take(10_000)
        .read_to_string(&mut text);
    read.map_err(|error| {
        CliError::BadInput(format!(
            "The password could not be read from standard input: {error}."
        ))
    })?;
    let line = text.lines().next().unwrap_or_default();
    line.parse::<NewPassword>()
        .map_err(|error| CliError::BadInput(error.to_string()))
}
