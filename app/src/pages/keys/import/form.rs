//! The form that imports keys: first it says what would come of the file, then it does it.

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http_body_util::BodyExt as _;
use latchkey::{
    Engine,
    access::{Permit, to},
    id::OrgId,
    keys::import::{self, Becomes, EntryReport, Format, ImportError, import_at},
    work_queue::Place,
};

use super::{body, file_form::ImportForm};
use crate::{
    error::AppError,
    pages::{answer::FormAnswer, forms::respond},
    request::PageRequest,
    site::Site,
};

/// What came of a file, or would come of it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What was sent, its text only where that is short enough to be carried to the import.
    pub form: ImportForm,
    /// Each entry in the order of the file.
    pub entries: Vec<ImportedEntry>,
    /// Whether the keys are stored now.
    pub imported: bool,
}

/// What came of an entry.
#[derive(Debug, Clone)]
pub struct ImportedEntry {
    /// The line of CSV, or the place in the array of JSON.
    pub line: u64,
    /// What the key is called.
    pub name: String,
    /// How it will be shown.
    pub display: String,
    /// What key it becomes, if it can be imported.
    pub becomes: Option<Becomes>,
    /// What is wrong: the field and a sentence.
    pub problems: Vec<(String, String)>,
    /// How much else is wrong.
    pub more_problems: usize,
}

impl ImportedEntry {
    /// Whether it can be imported.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.more_problems == 0
    }
}

impl Imported {
    /// How many entries will not do.
    pub fn bad(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_good()).count()
    }
}

/// What comes of it: the report, or the form again.
type ImportAnswer = FormAnswer<ImportForm, Imported>;

/// Imports keys, or says what would come of it. A file from someone who may not import keys, or one too many at once, is
/// not received.
pub async fn receive(State(site): State<Site>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let received = async {
        let page_request = PageRequest::of(site.clone(), parts.clone()).await?;
        let permit: Permit<to::CreateKeys> = page_request.permit().await?;
        let place = import::enter(page_request.engine(), &permit)?;
        let form = body::read(Request::from_parts(parts.clone(), body)).await?;
        submit(page_request.engine(), &permit, place, form).await
    };
    let (answer, place) = match received.await {
        Ok((answer, place)) => (Ok(answer), place),
        Err(error) => (Err(error), None),
    };
    let response = respond(&site, parts, answer).await;
    // The answer names every key: it takes up the place until the client has read it.
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &place;
            frame
        }))
    })
}

async fn submit(
    engine: &Engine,
    permit: &Permit<to::CreateKeys>,
    place: Place<OrgId>,
    mut form: ImportForm,
) -> Result<(ImportAnswer, Option<Place<OrgId>>), AppError> {
    let sent_back = form.sent_back();
    let format = match form.format.as_str() {
        "csv" => Format::Csv,
        "json" => Format::Json,
        _ => {
            let refused =
                FormAnswer::refused(sent_back, "format", "Choose the format of the file.");
            return Ok((refused, Some(place)));
        }
    };
    if let Some(sentence) = form.unreadable {
        return Ok((
            FormAnswer::refused(sent_back, "text", sentence),
            Some(place),
        ));
    }
    if form.text.trim().is_empty() {
        let refused =
            FormAnswer::refused(sent_back, "text", "Choose a file or paste its contents.");
        return Ok((refused, Some(place)));
    }
    let (carried, dry_run) = (form.carried(), form.go != "import");
    let text = std::mem::take(&mut form.text);
    match import_at(engine, permit, place, format, text, dry_run).await {
        Ok((report, place)) => {
            let imported = Imported {
                form: carried,
                imported: report.imported,
                entries: report.entries.into_iter().map(entry).collect(),
            };
            Ok((FormAnswer::Shown(imported), Some(place)))
        }
        Err(ImportError::Fault(fault)) => Err(fault.into()),
        // What cannot be read is not sent back: the file is still where it came from.
        Err(error) => {
            let without_text = ImportForm {
                text: String::new(),
                ..sent_back
            };
            Ok((FormAnswer::refused(without_text, "text", error), None))
        }
    }
}

fn entry(report: EntryReport) -> ImportedEntry {
    ImportedEntry {
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
