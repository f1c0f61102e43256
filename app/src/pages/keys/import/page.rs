//! `/orgs/{org}/keys/import`: imports keys that were created elsewhere, by their SHA-256 digest. A dry run shows the
//! result before the import.

use latchkey::{
    access::{Permit, to},
    convention::{KindNames, Scope},
    keys::import::fields,
    list::more_errors,
    orgs::policies,
};
use leptos::{either::Either, prelude::*};

use super::{
    file_form::ImportForm,
    form::{Imported, ImportedEntry},
};
use crate::{
    error::AppError,
    form::{
        choice_group::ChoiceGroup,
        errors::{ErrorTexts, Errors, FormError, described_by, invalid},
        text_area::TextArea,
    },
    icons::{Icon, Symbol},
    pages::{
        forms::{fields_and_errors, shown},
        frame::{Breadcrumbs, PageHead},
        keys::{keys_path, policy_notes::sentences},
        page::page,
    },
    request::PageRequest,
    text::{
        days::days_text,
        number::{counted, grouped},
        query::escaped,
        time::{Time, TimeText},
        words::environment_title,
    },
};

/// The most entries that the page lists. Entries with errors come first.
const LISTED: usize = 200;

/// The page: the form, or its result.
#[component]
pub fn ImportKeysPage() -> impl IntoView {
    page(
        load,
        |request,
         Policies {
             sentences,
             longest_life,
         }| {
            let keys_path = keys_path(&request);
            let policies = sentences;
            let policies = (!policies.is_empty()).then(|| {
            let sentences = policies.into_iter().map(|sentence| view! { <li>{sentence}</li> });
            view! {
                <div class="notice info"><Icon symbol=Symbol::Info/>
                    <div><p>"Imported keys must comply with the policies of your organization:"</p><ul class="list">{sentences.collect_view()}</ul></div>
                </div>
            }
        });
            view! {
                <Breadcrumbs above=vec![(keys_path.clone(), "Keys".to_owned())] here="Import"/>
                <PageHead title="Import keys" lead="Import existing keys by their SHA-256 digest. They keep working, and nobody has to send you the keys themselves.".into_any()/>
                <div class="stack">{policies}<Step keys_path report=shown() longest_life/></div>
            }
        },
    )
}

/// What the policies of the organization require of imported keys.
#[derive(Debug, Clone)]
struct Policies {
    sentences: Vec<String>,
    /// The longest life of keys in days.
    longest_life: Option<u32>,
}

/// Loads the policies, for users who can import keys.
async fn load(request: PageRequest) -> Result<Policies, AppError> {
    let permit: Permit<to::CreateKeys> = request.permit().await?;
    let policy = policies::read(request.engine(), &permit).await?;
    Ok(Policies {
        sentences: sentences(&policy, request.engine().convention()),
        longest_life: policy.longest_life_days,
    })
}

#[component]
fn Step(keys_path: String, report: Option<Imported>, longest_life: Option<u32>) -> impl IntoView {
    match report {
        Some(report) if report.imported => {
            let count = counted(report.entries.len() as i64, "key", "keys");
            view! {
                <div class="notice ok" role="status"><Icon symbol=Symbol::Check/><p>{count}" imported."</p></div>
                <p><a class="btn primary" href=keys_path>"View all keys"</a></p>
            }
            .into_any()
        }
        Some(report) => view! { <DryRun keys_path report longest_life/> }.into_any(),
        None => {
            let (values, errors) = fields_and_errors(|| ImportForm {
                format: "csv".to_owned(),
                ..ImportForm::default()
            });
            view! { <FileForm keys_path values errors=Errors::new(errors) longest_life/> }
                .into_any()
        }
    }
}

/// The result of a dry run, and the button that imports the keys.
#[component]
fn DryRun(keys_path: String, report: Imported, longest_life: Option<u32>) -> impl IntoView {
    let (all, bad) = (report.entries.len(), report.bad());
    let count = counted(all as i64, "key", "keys");
    let warned = report
        .entries
        .iter()
        .filter(|entry| !entry.warnings.is_empty());
    let warned = warned.count() as i64;
    let warned = (warned > 0).then(|| {
        let keys = counted(warned, "key has", "keys have");
        view! {
            <div class="notice warn"><Icon symbol=Symbol::Alert/><p>{keys}" warnings. You can import them as they are, and change them later."</p></div>
        }
    });
    let with_scopes = report.with_scopes;
    let kind_names = report.kind_names.clone();
    let notice = if bad == 0 {
        let action = format!("{keys_path}/import");
        let form = report.form.clone();
        let is_again = form.text.is_empty();
        let content = if is_again {
            Either::Left(view! { <FileAgain/> })
        } else {
            Either::Right(view! {
                <div hidden><TextArea name="text" text=form.text maxlength=4_000_000 described_by=None invalid=false/></div>
            })
        };
        view! {
            <div class="notice ok" role="status">
                <Icon symbol=Symbol::Check/><p>{count.clone()}{if all == 1 { " is" } else { " are" }}" ready to import. Nothing has been imported yet."</p>
            </div>
            {warned}
            // A file that was not selected again is asked for by the browser: submitting without it would lose the preview.
            <form novalidate=!is_again method="post" action=action enctype="multipart/form-data" class="form">
                <input type="hidden" name="format" value=form.format/>
                {content}
                <div class="actions">
                    <button class="btn primary" name="go" value="import">"Import "{count}</button>
                    <a class="btn" href=format!("{keys_path}/import")>"Cancel"</a>
                </div>
            </form>
        }
        .into_any()
    } else {
        let wrong = match (bad, all) {
            (1, 1) => "The key".to_owned(),
            (bad, all) if bad == all => format!("None of the {count}"),
            _ => format!("{} of {count}", grouped(bad as i64)),
        };
        let verb = if bad == all && all > 1 {
            "can"
        } else {
            "cannot"
        };
        let text = format!(
            "{wrong} {verb} be imported. Nothing was imported. Fix the file and try again."
        );
        view! {
            <div class="notice bad" role="alert" tabindex="-1" autofocus><Icon symbol=Symbol::Alert/><p>{text}</p></div>
        }
        .into_any()
    };
    let values = report.form.sent_back();
    let listed: Vec<ImportedEntry> = {
        let (wrong, fine): (Vec<_>, Vec<_>) = report
            .entries
            .into_iter()
            .partition(|entry| !entry.is_good());
        wrong.into_iter().chain(fine).take(LISTED).collect()
    };
    let more = (all > LISTED).then(
        || view! { <p class="muted small">"The first "{LISTED}" are shown, errors first."</p> },
    );
    view! {
        {notice}
        <div class="card"><Entries entries=listed with_scopes kind_names/></div>
        {more}
        {(bad > 0).then(|| view! { <FileForm keys_path values errors=Errors::new(Vec::new()) longest_life/> })}
    }
}

/// A second file input, if the page does not carry the file's contents.
#[component]
fn FileAgain() -> impl IntoView {
    view! {
        <div class="field">
            <label for="file">"File"</label>
            <p class="hint" id="file-hint">"The file is too large to keep on this page. Select it again to import it."</p>
            <input class="input" type="file" id="file" name="file" accept=".csv,.json,text/csv,application/json"
                required aria-describedby="file-hint"/>
        </div>
    }
}

#[component]
fn Entries(
    entries: Vec<ImportedEntry>,
    /// Whether the convention has scopes.
    with_scopes: bool,
    kind_names: KindNames,
) -> impl IntoView {
    let rows = entries
        .into_iter()
        .map(|entry| {
            let verdict = if entry.is_good() {
                let warnings = entry
                    .warnings
                    .iter()
                    .map(|warning| view! { <p class="muted small">{*warning}"."</p> })
                    .collect_view();
                let (class, word) = match entry.warnings.is_empty() {
                    true => ("tag ok", "OK"),
                    false => ("tag warn", "Warning"),
                };
                view! { <span class=class>{word}</span>{warnings} }.into_any()
            } else {
                let more = more_errors(entry.more_problems)
                    .map(|more| view! { <p class="error"><Icon symbol=Symbol::Alert/><span>{more}</span></p> });
                let problems = entry
                    .problems
                    .into_iter()
                    .map(|(field, sentence)| view! { <p class="error"><Icon symbol=Symbol::Alert/><span><code>{field}</code>" "{sentence}</span></p> })
                    .collect_view();
                view! { {problems}{more} }.into_any()
            };
            let becomes = entry.becomes.map(|becomes| {
                let expires = match becomes.expires_at {
                    Some(at) => view! { <Time text=TimeText::date(at)/> }.into_any(),
                    None => "Never".into_any(),
                };
                let scopes = with_scopes.then(|| {
                    let names: Vec<&str> = becomes.scopes.iter().map(Scope::as_str).collect();
                    let names = match names.is_empty() {
                        true if entry.is_full => "Full access".to_owned(),
                        true => "None".to_owned(),
                        false => names.join(", "),
                    };
                    view! { <td class="muted small" data-label="Scopes">{names}</td> }
                });
                view! {
                    <td data-label="Type"><span class="tag plain">{kind_names.title(becomes.kind)}</span></td>
                    <td class="muted" data-label="Environment">{environment_title(becomes.environment)}</td>
                    {scopes}
                    <td class="muted nowrap" data-label="Expires">{expires}</td>
                }
            });
            let columns = if becomes.is_some() { 1 } else { 4 + usize::from(with_scopes) };
            view! {
                <tr>
                    <td class="num" data-label="Line">{entry.line}</td>
                    <th scope="row">{entry.name}<br/><code class="muted">{entry.display}</code></th>
                    {becomes}
                    <td data-label="Result" colspan=columns>{verdict}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="table">
            <caption class="visually-hidden">"Keys in the file"</caption>
            <thead><tr><th scope="col" class="num">"Line"</th><th scope="col">"Key"</th><th scope="col">"Type"</th><th scope="col">"Environment"</th>{with_scopes.then(|| view! { <th scope="col">"Scopes"</th> })}<th scope="col">"Expires"</th><th scope="col">"Result"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[component]
fn FileForm(
    keys_path: String,
    values: ImportForm,
    errors: Errors,
    /// The longest life of keys, if a policy limits it.
    longest_life: Option<u32>,
) -> impl IntoView {
    let expiry = match longest_life {
        Some(days) => format!("Each key needs an expiry date, within {}.", days_text(days)),
        None => "If a key has no expiry date, it never expires.".to_owned(),
    };
    let sentences = errors.of("text");
    let format = |value: &'static str, text: &'static str| {
        view! {
            <label>
                <input class="visually-hidden" type="radio" name="format" value=value checked=values.format == value required/>
                {text}
            </label>
        }
    };
    let formats = view! { {format("csv", "CSV")}{format("json", "JSON")} };
    let action = format!("{keys_path}/import");
    view! {
        <div class="card"><form novalidate=true class="form body" method="post" action=action enctype="multipart/form-data">
            <FormError errors/>
            <ChoiceGroup field="format" legend="Format" errors><div class="seg">{formats}</div></ChoiceGroup>
            <div class="field">
                <label for="file">"File"</label>
                <p class="hint" id="file-hint">
                    <a class="link" href=sample_href(longest_life) download="keys.csv">"Download a sample file"</a>
                    ". The SHA-256 of a key: "<code>"printf %s \"$KEY\" | sha256sum"</code>
                </p>
                <input class="input" type="file" id="file" name="file" accept=".csv,.json,text/csv,application/json" aria-describedby="file-hint"/>
            </div>
            <div class="field">
                <label for="text">"Or paste its contents"</label>
                <p class="hint" id="text-hint">
                    "Each key has a "<code>"name"</code>" and its "<code>"sha256"</code>" in hexadecimal or base64. Optional fields: "
                    {optional_fields()}
                    ". If a key has no kind or environment, they are taken from its prefix; if the prefix is unknown, \
                     the key is imported as secret and live. "{expiry}
                </p>
                <TextArea name="text" text=values.text class="input mono" maxlength=4_000_000
                    placeholder="name,sha256,prefix,last_four" described_by=described_by("text", true, sentences) invalid=invalid(sentences)/>
                <ErrorTexts field="text" errors/>
            </div>
            <div class="actions">
                <button class="btn primary">"Preview"</button>
                <a class="btn" href=keys_path>"Cancel"</a>
            </div>
        </form></div>
    }
}

/// The optional fields of an entry.
fn optional_fields() -> impl IntoView {
    let fields = fields().filter(|field| !["name", "sha256"].contains(field));
    fields
        .enumerate()
        .map(|(place, field)| {
            let comma = if place == 0 { "" } else { ", " };
            view! { {comma}<code>{field}</code> }
        })
        .collect_view()
}

/// A CSV file with all columns and one key, as a URL, so that it needs no page of its own.
fn sample_href(longest_life: Option<u32>) -> String {
    let days = longest_life.unwrap_or(365).min(365).to_string();
    let value = |field| match field {
        "name" => "Production server",
        // Of the text `example`.
        "sha256" => "50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c",
        "prefix" => "old_",
        "last_four" => "mple",
        "expires_in_days" => days.as_str(),
        _ => "",
    };
    let names: Vec<&str> = fields().collect();
    let values: Vec<&str> = fields().map(value).collect();
    let text = format!("{}\r\n{}\r\n", names.join(","), values.join(","));
    format!("data:text/csv;charset=utf-8,{}", escaped(&text))
}
