//! The handler of the import form: a dry run first, then the import.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http_body_util::BodyExt as _;
use latchkey::{
    Engine,
    access::{Permit, to},
    convention::{Convention, KindNames},
    key::Kind,
    keys::import::{self, Becomes, EntryReport, Format, ImportError, import_whole},
};

use super::{body, file_form::ImportForm};
use crate::{
    error::AppError,
    pages::{
        answer::FormAnswer,
        done::Done,
        field_reader::FieldReader,
        forms::respond,
        loading::finished,
        repeated::{LedTo, once},
    },
    request::PageRequest,
    site::Site,
};

/// The result of an import or a dry run.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The submitted form, with its text only if it is short enough to be carried to the import.
    pub form: ImportForm,
    /// The entries in the order of the file.
    pub entries: Vec<ImportedEntry>,
    /// Whether the keys were imported.
    pub imported: bool,
    /// Whether the convention has scopes.
    pub with_scopes: bool,
    /// The names of the types of keys.
    pub kind_names: KindNames,
}

/// The result of an entry.
#[derive(Debug, Clone)]
pub struct ImportedEntry {
    /// The line in CSV, or the position in the JSON array.
    pub line: u64,
    pub name: String,
    /// The visible characters of the key.
    pub display: String,
    /// The key that the entry creates, if it can be imported.
    pub becomes: Option<Becomes>,
    /// Whether the key has full access.
    pub is_full: bool,
    /// What to look at before the import: it can be imported nevertheless.
    pub warnings: Vec<&'static str>,
    /// The errors: field and message.
    pub problems: Vec<(String, String)>,
    /// The number of further errors.
    pub more_problems: usize,
}

impl ImportedEntry {
    /// Whether the entry can be imported.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.more_problems == 0
    }
}

impl Imported {
    /// The number of entries with errors.
    pub fn bad(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_good()).count()
    }
}

/// The report, or the form again.
type ImportAnswer = FormAnswer<ImportForm, Imported>;

/// Imports keys, or does a dry run. The body has arrived, so the user has the permit at this time. It is not parsed if the
/// user is not allowed to import keys or too many imports are running.
pub async fn receive(State(site): State<Site>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let received = async {
        let page_request = PageRequest::of(site.clone(), parts.clone()).await?;
        let permit: Permit<to::CreateKeys> = page_request.permit().await?;
        let mut arrival = import::begin(page_request.engine(), &permit)?;
        let form = body::read(Request::from_parts(parts.clone(), body), &mut arrival).await?;
        let entered = [form.format.as_bytes(), form.text.as_bytes()];
        let again = page_request
            .submit(&entered)
            .filter(|_| form.go == "import");
        let Some(again) = again else {
            let answer = submit(page_request.engine(), &permit, form).await?;
            return Ok((answer, arrival));
        };
        // A hang-up must not lose the answer of an import, which a repeat of the same submit needs: its keys exist by then.
        finished(tokio::spawn(async move {
            let importing = submit(page_request.engine(), &permit, form);
            let led_to = |answer: &ImportAnswer| imported_to(&page_request, answer);
            let answer = once(page_request.clone(), again, importing, led_to).await?;
            Ok((answer, arrival))
        }))
        .await
    };
    let (answer, arrival) = match received.await {
        Ok((answer, arrival)) => (Ok(answer), Some(arrival)),
        Err(error) => (Err(error), None),
    };
    let response = respond(&site, parts, answer).await;
    // The response lists every key, so it keeps its share of memory until the client has read it.
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &arrival;
            frame
        }))
    })
}

/// Where a repeat of an import leads: the report is in the answer to the first submit alone.
fn imported_to(request: &PageRequest, answer: &ImportAnswer) -> Option<LedTo> {
    let FormAnswer::Shown(Imported {
        imported: true,
        entries,
        ..
    }) = answer
    else {
        return None;
    };
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let path = format!("/orgs/{}/keys", request.org());
    Some((path, Some(Done::KeysImported(count).into())))
}

async fn submit(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    mut form: ImportForm,
) -> Result<ImportAnswer, AppError> {
    let sent_back = form.sent_back();
    let mut fields = FieldReader::default();
    let format = match form.format.as_str() {
        "csv" => Ok(Format::Csv),
        "json" => Ok(Format::Json),
        _ => Err("Choose the format of the file."),
    };
    let format = fields.take("format", format);
    let readable = match form.unreadable.take() {
        Some(sentence) => Err(sentence),
        None if form.text.trim().is_empty() => {
            Err("Choose a file or paste its contents.".to_owned())
        }
        None => Ok(()),
    };
    let (Some(format), Some(())) = (format, fields.take("text", readable)) else {
        return Ok(FormAnswer::refused_fields(sent_back, fields.errors));
    };
    let (carried, dry_run) = (form.carried(), form.go != "import");
    let text = std::mem::take(&mut form.text);
    match import_whole(engine, permit, format, text, dry_run).await {
        Ok(report) => {
            let imported = Imported {
                form: carried,
                imported: report.imported,
                with_scopes: !engine.convention().scopes.is_empty(),
                kind_names: engine.convention().kind_names.clone(),
                entries: report
                    .entries
                    .into_iter()
                    .map(|report| entry(report, engine.convention()))
                    .collect(),
            };
            Ok(FormAnswer::Shown(imported))
        }
        Err(ImportError::Fault(fault)) => Err(fault.into()),
        // The user still has a file; a text that was pasted is shown again.
        Err(error) => Ok(FormAnswer::refused(sent_back, "text", error)),
    }
}

/// What is unusual about the key that an entry creates.
fn warnings(becomes: &Becomes, convention: &Convention) -> Vec<&'static str> {
    let is_widget = becomes.kind == Kind::Widget;
    let all = [
        (
            becomes.is_assumed,
            "No known prefix: imported as a live secret key",
        ),
        (
            is_widget && convention.is_full_access(&becomes.scopes),
            "Visitors can read this key, and it has full access",
        ),
        (
            !is_widget
                && convention.is_full_access(&becomes.scopes)
                && becomes.expires_at.is_none(),
            "Full access, and no expiry",
        ),
    ];
    all.into_iter()
        .filter(|(is_it, _)| *is_it)
        .map(|(_, warning)| warning)
        .collect()
}

fn entry(report: EntryReport, convention: &Convention) -> ImportedEntry {
    ImportedEntry {
        is_full: report
            .becomes
            .as_ref()
            .is_some_and(|becomes| convention.is_full_access(&becomes.scopes)),
        warnings: report
            .becomes
            .as_ref()
            .map_or_else(Vec::new, |becomes| warnings(becomes, convention)),
        line: report.line,
        name: report.name,
        display: report.display,
        becomes: report.becomes,
        problems: report
            .problems
            .into_iter()
            .map(|problem| (problem.field.to_owned(), problem.sentence))
            .collect(),
        more_problems: report.more_problems,
    }
}
