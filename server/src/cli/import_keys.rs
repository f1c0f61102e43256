//! `latchkey key import`: imports keys that were created elsewhere, by their SHA-256 digests.

use std::{io, path::PathBuf};

use clap::{Args, ValueEnum};
use latchkey::{
    access::{Operator, to},
    key::{Environment, Kind},
    keys::import::{Format, ImportError, Report, import, text_of},
    list::more_errors,
    name::Slug,
    time::{Rfc3339, Timestamp},
};
use serde::Serialize;

use super::{error::CliError, orgs::find_org, pepper::when_known};
use crate::{settings::Settings, start};

#[derive(Debug, Args)]
pub struct ImportFlags {
    /// The slug of the organization.
    #[arg(long)]
    org: Slug,
    /// The file with the SHA-256 digest of each key, in hexadecimal or base64.
    file: PathBuf,
    /// The format of the file [default: from the file extension].
    #[arg(long)]
    format: Option<FormatFlag>,
    /// Check the file without importing anything.
    #[arg(long)]
    dry_run: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatFlag {
    Csv,
    Json,
}

#[derive(Serialize)]
struct ReportObject<'a> {
    imported: bool,
    entries: Vec<EntryObject<'a>>,
}

#[derive(Serialize)]
struct EntryObject<'a> {
    line: u64,
    name: &'a str,
    display: &'a str,
    kind: Option<Kind>,
    environment: Option<Environment>,
    expires_at: Option<Rfc3339>,
    problems: Vec<ProblemObject<'a>>,
    more_problems: usize,
}

#[derive(Serialize)]
struct ProblemObject<'a> {
    field: &'a str,
    detail: &'a str,
}

/// Imports a file and prints the report. Fails if any key in the file is invalid.
pub async fn import_file(settings: &Settings, flags: ImportFlags) -> Result<(), CliError> {
    let file = flags.file.display();
    let bytes = std::fs::read(&flags.file).map_err(|error| {
        CliError::BadInput(match error.kind() {
            io::ErrorKind::IsADirectory => {
                format!("{file} is a folder. Specify a CSV or JSON file.")
            }
            _ => format!("{file} cannot be read: {error}."),
        })
    })?;
    let text = text_of(bytes).map_err(|error| CliError::BadInput(error.to_string()))?;
    let by_name = || match flags.file.extension()?.to_str()? {
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        _ => None,
    };
    let format = match flags.format {
        Some(FormatFlag::Csv) => Some(Format::Csv),
        Some(FormatFlag::Json) => Some(Format::Json),
        None => by_name(),
    };
    let format = format.ok_or_else(|| {
        CliError::BadInput(format!(
            "The format of {file} is unknown. Add --format csv or --format json."
        ))
    })?;
    let engine = start::engine(settings).await?;
    let org = find_org(&engine, &flags.org).await?;
    let permit = Operator::at_the_command_line().permit::<to::CreateKeys>(&org);
    let done = import(&engine, &permit, format, &text, flags.dry_run).await;
    let when_known = when_known(&engine).await;
    engine.db().close().await;
    let report = done.map_err(|error| match error {
        ImportError::Fault(fault) => CliError::Failed("the keys were not imported", fault.into()),
        error => CliError::Refused(error.to_string()),
    })?;
    print(&report, flags.json)?;
    if !report.is_good() {
        return Err(CliError::Refused(
            "Nothing was imported. Fix the errors in the report and try again.".to_owned(),
        ));
    }
    let done = if report.imported {
        format!("Imported into {}. {when_known}", org.name)
    } else {
        "No errors found. Nothing was imported because this was a dry run.".to_owned()
    };
    eprintln!("{done}");
    Ok(())
}

fn print(report: &Report, as_json: bool) -> Result<(), CliError> {
    if !as_json {
        for entry in &report.entries {
            let verdict = if let Some(becomes) = &entry.becomes {
                let expiry = becomes.expires_at.map(Timestamp::rfc3339);
                let expiry = expiry.map_or_else(|| "never".to_owned(), |at| at.to_string());
                format!("ok\t{}\t{}\t{expiry}", becomes.kind, becomes.environment)
            } else {
                let problems = entry.problems.iter();
                let texts =
                    problems.map(|problem| format!("{}: {}", problem.field, problem.sentence));
                let texts: Vec<String> = texts.chain(more_errors(entry.more_problems)).collect();
                texts.join(" ")
            };
            println!("{}\t{}\t{verdict}", entry.line, entry.name.escape_debug());
        }
        return Ok(());
    }
    let object = ReportObject {
        imported: report.imported,
        entries: report
            .entries
            .iter()
            .map(|entry| EntryObject {
                line: entry.line,
                name: &entry.name,
                display: &entry.display,
                kind: entry.becomes.as_ref().map(|becomes| becomes.kind),
                environment: entry.becomes.as_ref().map(|becomes| becomes.environment),
                expires_at: entry
                    .becomes
                    .as_ref()
                    .and_then(|becomes| becomes.expires_at)
                    .map(Timestamp::rfc3339),
                problems: entry
                    .problems
                    .iter()
                    .map(|problem| ProblemObject {
                        field: problem.field,
                        detail: &problem.sentence,
                    })
                    .collect(),
                more_problems: entry.more_problems,
            })
            .collect(),
    };
    let json = serde_json::to_string_pretty(&object)
        .map_err(|error| CliError::Failed("the report could not be printed", error.into()))?;
    println!("{json}");
    Ok(())
}
