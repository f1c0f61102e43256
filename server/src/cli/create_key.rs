//! `latchkey key create`: creates a key on the command line.

use clap::Args;
use latchkey::{
    Engine,
    access::{Operator, Org, to},
    convention::Scope,
    domain::{DomainPattern, TOO_MANY_PATTERNS, parse_list},
    id::ProjectId,
    ip_range::IpRange,
    key::{
        Environment, Kind,
        metadata::{InvalidMetadata, Metadata},
        settings::KeySettings,
    },
    keys::{
        create::{CreateKeyError, CreatedKey, NewKey, create},
        project::choices,
        show,
    },
    name::{KeyName, Slug},
    orgs::policies,
    time::DAY,
};

use super::{error::CliError, flags::days, orgs::find_org, pepper::when_known};
use crate::{key_object::KeyObject, settings::Settings, start};

#[derive(Debug, Args)]
pub struct NewKeyFlags {
    /// The slug of the organization.
    #[arg(long)]
    org: Slug,
    /// The name.
    #[arg(long)]
    name: KeyName,
    /// The ID of the user or object that the key is for, in your own system.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// The kind: secret (for servers) or widget (for browsers).
    #[arg(long)]
    kind: Kind,
    /// The environment: live or test.
    #[arg(long, default_value = "live")]
    environment: Environment,
    /// The name or ID of the project [default: the organization's first project].
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// A scope of the key. Can be repeated [default: defined by the convention].
    #[arg(long)]
    scope: Vec<Scope>,
    /// An allowed domain of a widget key. Can be repeated.
    #[arg(long)]
    domain: Vec<String>,
    /// Block pages on localhost, if the convention offers this choice.
    #[arg(long)]
    no_localhost: bool,
    /// An IP address or range that can use the key, such as 10.0.0.0/8. Can be repeated [default: any address].
    #[arg(long, value_name = "RANGE")]
    ip_range: Vec<IpRange>,
    /// Notes for your team.
    #[arg(long)]
    notes: Option<String>,
    /// Metadata that each verification returns to your API servers: a JSON object.
    #[arg(long, value_name = "JSON", value_parser = read_metadata)]
    metadata: Option<Metadata>,
    /// The number of days after which the key expires [default: defined by the convention].
    #[arg(long, value_parser = days)]
    expires_in_days: Option<u32>,
    /// Create a key that never expires.
    #[arg(long, conflicts_with = "expires_in_days")]
    never_expires: bool,
    /// Print the key as the JSON object of the API, not only the plaintext.
    #[arg(long)]
    json: bool,
}

/// Creates a key and prints its plaintext.
pub async fn key(settings: &Settings, flags: NewKeyFlags) -> Result<(), CliError> {
    let domains = read_domains(&flags.domain)?;
    let engine = start::engine(settings).await?;
    let org = find_org(&engine, &flags.org).await?;
    let permit = Operator::at_the_command_line().permit::<to::CreateKeys>(&org);
    let policy = policies::read(&engine, &permit).await;
    let policy = policy
        .map_err(|error| CliError::Failed("the policies could not be loaded", error.into()))?;
    let days = match flags.expires_in_days {
        Some(days) => Some(days),
        None if flags.never_expires => None,
        None => policy.default_days(engine.convention()),
    };
    let project = match &flags.project {
        Some(project) => Some(find_project(&engine, &org, project).await?),
        None => None,
    };
    let new = NewKey {
        kind: flags.kind,
        environment: flags.environment,
        settings: KeySettings {
            name: flags.name,
            external_id: flags.external_id,
            project,
            scopes: flags.scope,
            domains,
            localhost_forbidden: flags.no_localhost,
            ip_ranges: flags.ip_range,
            expires_at: days.map(|days| engine.clock().now().plus(i64::from(days) * DAY)),
            notes: flags.notes.unwrap_or_default(),
            metadata: flags.metadata.unwrap_or_default(),
        },
        creation_token: None,
    };
    let created = create(&engine, &permit, new)
        .await
        .map_err(|error| match error {
            CreateKeyError::Fault(fault) => {
                CliError::Failed("the key was not created", fault.into())
            }
            CreateKeyError::Limit(reached) => CliError::Refused(reached.to_string()),
            error => CliError::BadInput(error.to_string()),
        })?;
    if flags.json {
        print_json(&engine, &org, &created).await?;
    } else {
        println!("{}", created.plain.expose());
    }
    eprintln!(
        "Created the key {} in {}. It is not shown again. {}",
        created.display,
        org.name,
        when_known(&engine).await
    );
    engine.db().close().await;
    Ok(())
}

fn read_domains(texts: &[String]) -> Result<Vec<DomainPattern>, CliError> {
    let list = parse_list(&texts.join(","));
    match list.invalid.first() {
        Some(invalid) => Err(CliError::BadInput(format!(
            "--domain `{}`: {}",
            invalid.item, invalid.error
        ))),
        None if list.is_too_long => Err(CliError::BadInput(TOO_MANY_PATTERNS.to_owned())),
        None => Ok(list.items),
    }
}

fn read_metadata(text: &str) -> Result<Metadata, String> {
    Metadata::parse(text).map_err(|error| match error {
        InvalidMetadata::NotAnObject => {
            r#"Must be a JSON object, such as {"plan": "gold"}."#.to_owned()
        }
        error => error.to_string(),
    })
}

/// Finds the organization's project with this name or ID.
async fn find_project(engine: &Engine, org: &Org, project: &str) -> Result<ProjectId, CliError> {
    let permit = Operator::at_the_command_line().permit::<to::SeeKeyDetails>(org);
    let choices = choices(engine, &permit)
        .await
        .map_err(|error| CliError::Failed("the projects could not be loaded", error.into()))?;
    choices
        .into_iter()
        .find(|choice| choice.name.as_str() == project || choice.id.to_string() == project)
        .map(|choice| choice.id)
        .ok_or_else(|| {
            CliError::BadInput(format!(
                "Project `{project}` was not found in {}. Omit --project, or create the project first.",
                org.name
            ))
        })
}

async fn print_json(engine: &Engine, org: &Org, created: &CreatedKey) -> Result<(), CliError> {
    let failed = |error| {
        CliError::Failed(
            "the key was created but could not be printed as JSON",
            error,
        )
    };
    let permit = Operator::at_the_command_line().permit::<to::SeeKeyDetails>(org);
    let key = show::details(engine, &permit, created.id)
        .await
        .map_err(|error| failed(error.into()))?;
    let key = key.ok_or_else(|| failed("it no longer exists".into()))?;
    let object = KeyObject::new(&key, engine.clock().now()).with_plain(&created.plain);
    let json = serde_json::to_string_pretty(&object).map_err(|error| failed(error.into()))?;
    println!("{json}");
    Ok(())
}
