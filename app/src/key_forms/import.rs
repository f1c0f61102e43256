//! The form that imports keys: first it says what would come of the file, then it does it.

use serde::{Deserialize, Serialize};

use crate::form_answer::{FormAnswer, MAX_NAME, sent_back};

/// The most bytes of a text that the answer carries: escaped, they can be five times as many.
const MAX_CARRIED: usize = 128 * 1024;

/// The form's fields as they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportForm {
    /// `csv` or `json`.
    pub format: String,
    /// The file's text.
    pub text: String,
    /// `import` to do it; anything else only says what would come of it.
    pub go: String,
    /// Whether the text is that of a file, rather than pasted.
    #[serde(skip)]
    pub is_file: bool,
}

impl ImportForm {
    /// The form as the answer carries it. A text that is too long for that is left out as a whole: half of it would be
    /// imported as if it were all.
    fn carried(&self) -> Self {
        let text = if self.text.len() > MAX_CARRIED {
            String::new()
        } else {
            self.text.clone()
        };
        Self {
            format: sent_back(&self.format, MAX_NAME),
            text,
            go: String::new(),
            is_file: self.is_file,
        }
    }

    /// The form as it is filled in again. A file is not shown as if it had been pasted.
    pub fn sent_back(&self) -> Self {
        let carried = self.carried();
        Self {
            text: if self.is_file {
                String::new()
            } else {
                carried.text
            },
            ..carried
        }
    }
}

/// What came of a file, or would come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// What was sent, its text only where that is short enough to be carried to the import.
    pub form: ImportForm,
    /// Each entry in the order of the file.
    pub entries: Vec<ImportedEntry>,
    /// Whether the keys are stored now.
    pub imported: bool,
}

/// What came of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedEntry {
    /// The line of CSV, or the place in the array of JSON.
    pub line: u64,
    /// What the key is called.
    pub name: String,
    /// How it will be shown.
    pub display: String,
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
pub type ImportAnswer = FormAnswer<ImportForm, Imported>;

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        Engine,
        access::{Permit, to},
        caller::Person,
        id::OrgId,
        keys::import::{self, EntryReport, Format, ImportError, import_at},
        work_queue::Place,
    };

    use super::{ImportAnswer, ImportForm, Imported, ImportedEntry};
    use crate::{error::AppError, form_answer::FormAnswer, key_forms::permit};

    /// Leave to send a file, and a place in the queue for it.
    pub struct Admission {
        permit: Permit<to::MakeKeys>,
        place: Place<OrgId>,
    }

    /// Lets a person send a file for `org`, a slug. A file from anyone else is not received.
    ///
    /// # Errors
    /// When the person may not import keys there, or too many imports are under way.
    pub async fn admit(engine: &Engine, person: Person, org: &str) -> Result<Admission, AppError> {
        let permit = permit(engine, person, org).await?;
        let place = import::enter(engine, &permit)?;
        Ok(Admission { permit, place })
    }

    /// Imports keys, or says what would come of it. The place is to be kept until the answer is sent, which names up to 10,000
    /// keys.
    pub async fn submit(
        engine: &Engine,
        admission: Admission,
        mut form: ImportForm,
    ) -> (ImportAnswer, Option<Place<OrgId>>) {
        let Admission { permit, place } = admission;
        let sent_back = form.sent_back();
        let format = match form.format.as_str() {
            "csv" => Format::Csv,
            "json" => Format::Json,
            _ => {
                let refused =
                    FormAnswer::refused(sent_back, "format", "Choose the format of the file.");
                return (refused, Some(place));
            }
        };
        if form.text.trim().is_empty() {
            let refused =
                FormAnswer::refused(sent_back, "text", "Choose a file or paste its contents.");
            return (refused, Some(place));
        }
        let (carried, dry_run) = (form.carried(), form.go != "import");
        let text = std::mem::take(&mut form.text);
        let answer = match import_at(engine, &permit, place, format, text, dry_run).await {
            Ok((report, place)) => {
                let imported = Imported {
                    form: carried,
                    imported: report.imported,
                    entries: report.entries.into_iter().map(entry).collect(),
                };
                return (FormAnswer::Done(imported), Some(place));
            }
            Err(ImportError::Busy(busy)) => FormAnswer::Failed(busy.into()),
            Err(
                error @ (ImportError::Unfinished(_)
                | ImportError::Randomness(_)
                | ImportError::Storage(_)),
            ) => FormAnswer::Failed(AppError::unavailable(&error)),
            // What cannot be read is not sent back: the file is still where it came from.
            Err(error) => {
                let without_text = ImportForm {
                    text: String::new(),
                    ..sent_back
                };
                FormAnswer::refused(without_text, "text", error)
            }
        };
        (answer, None)
    }

    fn entry(report: EntryReport) -> ImportedEntry {
        ImportedEntry {
            line: report.line,
            name: report.name,
            display: report.display,
            problems: report
                .problems
                .into_iter()
                .map(|problem| (problem.field.to_owned(), problem.sentence))
                .collect(),
            more_problems: report.more_problems,
        }
    }
}

#[cfg(feature = "ssr")]
pub use on_the_server::{admit, submit};
