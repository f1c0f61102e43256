//! `/orgs/{org}/keys/{key}`: a key.

use latchkey::{findings::Code, key::Status};
use leptos::{either::Either, prelude::*};

use super::super::find::FOUND;
use super::{
    ask::AskOwners,
    data::{KeyDetails, KeyView, show_key},
    details::{Details, MetadataCard, Notes, ScopesCard},
    domains::DomainsCard,
    fields::KeyForm,
    findings::Findings,
    found::FoundBySecret,
    found_secret::FoundSecret,
    new_secret::NewSecretCard,
    revoke::{RevokeButton, RevokeQuestion},
    secrets::SecretsCard,
    seen::SeenCard,
    state_notice::StateNotice,
};
use crate::{
    form::errors::{Errors, FormError},
    icons::{Icon, Symbol},
    pages::{
        audit::{HistoryCard, entries_of_key},
        done::{Done, Notice},
        examples::{ExampleTabs, Snippet, TOKEN_VARIABLE, VERIFY_TAB, YOUR_KEY, YOUR_TOKEN},
        forms::{fields_and_errors, shown},
        frame::{Breadcrumbs, PageHead},
        keys::{
            finding_text::FindingText,
            first_steps::{FirstStepsPanel, Steps, steps},
            shown_once::CreatedKeyView,
            state::{RotatingTag, StateTag},
        },
        owners::AskOwner,
        page::page,
        refusals::Address as Rejected,
        review::{ReviewSummary, ReviewsCard},
        usage::Requests,
    },
    request::PageRequest,
    site::Site,
    text::words::kind_purpose,
};

/// The page. Query parameters open the confirmations before revoking the key or ending its old secret, so that they
/// work without JavaScript.
#[component]
pub fn KeyPage() -> impl IntoView {
    // A new secret that was just revealed. Does not depend on loading the key: it cannot be shown again.
    if let Some(created) = shown() {
        return view! { <CreatedKeyView created/> }.into_any();
    }
    let load = async |request: PageRequest| {
        let steps = steps(&request).await?;
        Ok((show_key(request).await?, steps))
    };
    page(load, |request, (key, steps)| {
        let is_asked = |name: &str| !request.parameter(name).is_empty();
        let asked = Asked {
            revoke: is_asked("revoke"),
            end_old_secret: is_asked("end"),
            key_again: is_asked("shown"),
            origin: request.parameter("origin"),
            found: request.parameter(FOUND),
        };
        view! { <KeyPageView org=request.org().to_owned() key steps asked/> }
    })
    .into_any()
}

/// The query parameters of the page.
#[derive(Debug, Clone)]
struct Asked {
    /// Show the confirmation before revoking.
    revoke: bool,
    end_old_secret: bool,
    /// Explain that the key was already shown, after a form was submitted again.
    key_again: bool,
    /// The origin to test.
    origin: String,
    /// The ID of the secret by which the key was found.
    found: String,
}

#[component]
fn KeyPageView(org: String, key: KeyView, steps: Option<Steps>, asked: Asked) -> impl IntoView {
    let keys = keys_path(&org);
    let path = format!("{keys}/{}", key.id);
    let revocable = key.may_revoke && key.state.status != Status::Revoked;
    let old_ends = key
        .details
        .as_ref()
        .and_then(|details| details.old_ends.clone());
    let beside =
        view! { <StateTag state=key.state/><RotatingTag status=key.state.status old_ends/> }
            .into_any();
    // A key that does not work leads to no request.
    let steps = steps.filter(|_| key.state.status == Status::Active);
    // Its command is that of the examples.
    let mut key = key;
    if let (Some(details), true) = (
        key.details.as_mut(),
        steps.as_ref().is_some_and(Steps::has_command),
    ) {
        details
            .examples
            .retain(|example| example.language != VERIFY_TAB);
    }
    let display = key.details.as_ref().map(|details| details.display.clone());
    let display = display.or_else(|| key.own.as_ref().map(|own| own.display.clone()));
    let lead = match display {
        Some(display) => view! { <code>{display}</code> }.into_any(),
        None => kind_purpose(&key.kind_names, key.kind).into_any(),
    };
    let (typed, errors) = fields_and_errors(KeyForm::default);
    // A rejected revocation is asked again in the page.
    let is_asked = asked.revoke || (typed.change == "revoke" && !errors.is_empty());
    let errors = Errors::new(errors);
    let switch = key
        .may_disable
        .then(|| view! { <SwitchButton path=path.clone() status=key.state.status/> });
    let rotatable = matches!(key.state.status, Status::Active | Status::Disabled)
        && key
            .details
            .as_ref()
            .is_some_and(|details| details.may_rotate);
    let found = key
        .details
        .as_ref()
        .and_then(|details| details.found.clone());
    let found_by_secret = found.clone();
    let leak = match found {
        Some(FoundSecret::Current) => format!("?{FOUND}=1"),
        _ => String::new(),
    };
    let rotate = rotatable
        .then(|| view! { <a class="btn" href=format!("{path}/rotate{leak}")>"Rotate…"</a> });
    let whole = (org.clone(), path.clone());
    let by_secret = found_by_secret.is_some();
    let is_leaked = key.details.as_ref().is_some_and(|details| {
        let mut codes = details.findings.iter().map(|finding| finding.code);
        codes.any(|code| matches!(code, Code::SeenInBrowser | Code::ReportedLeaked))
    });
    let question = revocable.then(|| {
        view! { <RevokeQuestion key=key.clone() path=path.clone() in_dialog=!is_asked typed=typed.clone() is_found={by_secret || is_leaked} errors/> }
    });
    let revoke = (revocable && !is_asked).then(|| view! { <RevokeButton path=path.clone()/> });
    let secret_id = asked.found.clone();
    let found = found.map(|secret| {
        view! { <FoundBySecret secret found=secret_id key=key.clone() path=path.clone() may_rotate=rotatable may_revoke={revocable && !is_asked}/> }
    });
    let (asking, name) = (key.asking.clone(), key.name.clone());
    let is_found = found_by_secret.is_some() || key.own.as_ref().is_some_and(|own| own.is_found);
    // Another rotation does not end an old secret.
    let can_rotate = !matches!(found_by_secret, Some(FoundSecret::Old { .. }));
    let asked_before = typed.clone();
    let ask_path = path.clone();
    let ask_owners = asking.map(|asking| {
        view! { <AskOwners asking path=ask_path name is_found can_rotate typed=asked_before/> }
    });
    let (ask_first, ask_last) = match is_found {
        true => (ask_owners, None),
        false => (None, ask_owners),
    };
    // Who can act is said where the buttons would be.
    let ask = (key.details.is_some() && !key.may_revoke && key.state.status != Status::Revoked)
        .then(|| {
            // The organization lets some admins disable keys.
            let (only, to) = match key.may_disable {
                false if key.state.status == Status::Disabled => (
                    "Only owners can change this key. ",
                    "enable, edit, rotate or revoke it",
                ),
                true => (
                    "Only owners can edit this key. ",
                    "edit, rotate or revoke it",
                ),
                false => (
                    "Only owners can change this key. ",
                    "edit, rotate, disable or revoke it",
                ),
            };
            view! { <p class="muted small">{only}<AskOwner to/></p> }
        });
    let is_own = key.own.is_some();
    let was_shown = (asked.key_again && (rotatable || is_own))
        .then(|| view! { <WasShown path=path.clone() rotatable/> });
    let new_secret = key
        .new_secret
        .clone()
        .map(|secret| view! { <NewSecretCard secret path/> });
    view! {
        <Breadcrumbs above=vec![(keys.clone(), "Keys".to_owned())] here=key.name.clone()/>
        <PageHead title=key.name.clone() beside lead>
            {rotate}
            {switch}
            {revoke}
        </PageHead>
        <div class="stack">
            <FormError errors/>
            {ask}
            {was_shown}
            {new_secret}
            {found}
            {ask_first}
            {question}
            <StateNotice org path=whole.1.clone() key=key.clone()/>
            {steps.map(|steps| view! { <FirstStepsPanel steps/> })}
            {match key.details.clone() {
                Some(details) => Either::Left(view! { <Whole org=whole.0 path=whole.1 key details asked typed=typed.add errors/> }),
                None => Either::Right(view! { <Part key keys/> }),
            }}
            {ask_last}
        </div>
    }
}

/// The content for members: what everyone can see, and what they see of a key that they have created.
#[component]
fn Part(key: KeyView, keys: String) -> impl IntoView {
    let own = key.own.clone();
    let is_own = own.is_some();
    let own = own.map(|own| {
        let found = own.is_found.then(|| {
            view! {
                <div class="notice info" role="status" tabindex="-1" autofocus>
                    <Icon symbol=Symbol::Info/>
                    <p><b>"This key has that secret, and you created it."</b></p>
                </div>
            }
        });
        let reports = (!own.reports.is_empty()).then(|| {
            let reports = own
                .reports
                .into_iter()
                .map(|review| view! { <ReviewSummary review/> })
                .collect_view();
            view! {
                <section class="card" aria-labelledby="reported">
                    <header><h2 id="reported">"What you reported"</h2></header>
                    <div class="body stack">{reports}</div>
                </section>
            }
        });
        view! { {found}{reports} }
    });
    let note = match is_own {
        true => view! { "You created this key. "<AskOwner to="change it"/> }.into_any(),
        false => view! { "You see only some facts about this key. "<AskOwner to="show you more or change it"/> }.into_any(),
    };
    view! {
        {own}
        <Details key details=None keys=keys edit=None/>
        <p class="muted small">{note}</p>
    }
}

fn keys_path(org: &str) -> String {
    format!("/orgs/{org}/keys")
}

/// Shown after a form was submitted again, when the key can no longer be shown.
#[component]
fn WasShown(
    path: String,
    /// Whether the user can rotate the key.
    rotatable: bool,
) -> impl IntoView {
    let next = match rotatable {
        true => view! {
            "If you did not copy it, "<a href=format!("{path}/rotate")>"rotate the key"</a>"."
        }
        .into_any(),
        false => view! { "If you did not copy it: "<AskOwner to="rotate the key"/> }.into_any(),
    };
    view! {
        <div class="notice warn" role="status">
            <Icon symbol=Symbol::Alert/>
            <p>
                "This form was submitted before. The secret was shown then and cannot be shown again. "
                {next}
            </p>
        </div>
    }
}

/// The content for owners and admins.
#[component]
fn Whole(
    org: String,
    path: String,
    key: KeyView,
    details: KeyDetails,
    asked: Asked,
    /// The submitted domains, if they were rejected.
    typed: String,
    errors: Errors,
) -> impl IntoView {
    let edit = details.may_edit.then(|| format!("{path}/edit"));
    let history = details.history.clone().map(|items| {
        let href = entries_of_key(&org, &key.id);
        view! { <div id="key-history"><HistoryCard items href/></div> }
    });
    let has_examples = !details.examples.is_empty();
    let use_it = (key.state.status != Status::Revoked && has_examples).then(|| {
        view! { <UseCard org=org.clone() examples=details.examples.clone() variable=details.variable.clone() may_create_tokens=details.may_manage_tokens/> }
    });
    let scopes = details.settings.scopes.iter().map(ToString::to_string);
    let scopes = scopes.collect();
    let (secrets, may_rotate) = (details.secrets.clone(), details.may_rotate);
    let has_findings = !details.findings.is_empty();
    // The notice about the status says when the key expires.
    let findings = details
        .findings
        .iter()
        .filter(|finding| finding.code != Code::ExpiresSoon);
    let findings: Vec<FindingText> = findings.cloned().collect();
    view! {
        <Findings findings path=path.clone() may_rotate=details.may_rotate may_edit=details.may_edit/>
        <div class="columns">
            <div class="stack">
                <DomainsCard org=org.clone() id=key.id.clone() details=details.clone() tried=asked.origin typed errors/>
                <Requests what="key" usage=details.usage.clone() rejected=Rejected::of_key(&org, key.id.clone()).at_the_start()/>
                <SeenCard groups=details.seen.clone() scopes/>
                <ScopesCard details=details.clone()/>
                {use_it}
            </div>
            <div class="stack">
                <Details key details=Some(details.clone()) keys=keys_path(&org) edit/>
                <SecretsCard secrets path may_rotate asked=asked.end_old_secret/>
                <Notes notes=details.settings.notes/>
                <ReviewsCard reviews=details.reviews has_findings/>
                <MetadataCard json=details.settings.metadata.as_json().to_owned()/>
                {history}
            </div>
        </div>
    }
}

/// Examples of requests with the key, and of one that verifies it.
#[component]
fn UseCard(
    org: String,
    examples: Vec<Snippet>,
    /// The environment variable from which they read the key.
    variable: String,
    /// Whether the user can open the page of service tokens.
    may_create_tokens: bool,
) -> impl IntoView {
    let docs = use_context::<Site>().map(|site| site.addresses.docs().to_owned());
    let verifies = examples
        .iter()
        .any(|example| example.language == VERIFY_TAB);
    let tokens = if may_create_tokens {
        view! { <a class="link" href=format!("/orgs/{org}/tokens")>"Service tokens"</a> }.into_any()
    } else {
        view! { <AskOwner to="create one"/> }.into_any()
    };
    let hint = verifies.then(|| {
        view! {
            <p class="hint">
                "“"{VERIFY_TAB}"” reads a service token from "<code>{TOKEN_VARIABLE}</code>" and the key from "<code>{variable}</code>". If they are not set, replace “"{YOUR_TOKEN}"” and “"{YOUR_KEY}"”. "{tokens}
            </p>
        }
    });
    view! {
        <section class="card" aria-labelledby="use">
            <header><h2 id="use">"Use this key"</h2><a class="link small" href=docs>"Documentation"</a></header>
            <div class="body stack">
                <ExampleTabs examples/>
                {hint}
            </div>
        </section>
    }
}

/// The button that disables or enables the key; none if the key is revoked or expired.
#[component]
fn SwitchButton(path: String, status: Status) -> impl IntoView {
    // Whoever pressed it continues here with the keyboard.
    let was_pressed = matches!(
        use_context::<Option<Notice>>().flatten(),
        Some(Notice {
            done: Done::KeyDisabled | Done::KeyEnabled,
            ..
        })
    );
    let (change, text) = match status {
        Status::Active => ("disable", "Disable"),
        Status::Disabled => ("enable", "Enable"),
        Status::Expired | Status::Revoked => return ().into_any(),
    };
    view! { <form method="post" action=path><button class="btn" name="change" value=change autofocus=was_pressed>{text}</button></form> }
        .into_any()
}
