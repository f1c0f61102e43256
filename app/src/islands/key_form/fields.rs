//! The fields of the forms that create and edit a key, and their order.

use latchkey::{
    convention::Scope,
    domain::LocalhostRule,
    key::{Environment, Kind},
    name::KeyName,
};
use leptos::prelude::*;

use super::{more::MoreOptions, policy_note::note, scopes::ScopeChoice};
use crate::{
    form::{
        choice_group::ChoiceGroup,
        errors::{ErrorTexts, Errors, described_by, invalid, invalid_text},
        text_area::TextArea,
    },
    icons::{Icon, Symbol},
    islands::domain_check::check,
    text::words::environment_title,
    values::{key_form::SettingsForm, key_options::NewKeyOptions},
};

/// The kind of key, with an explanation of each. With only one kind there is no choice, but the explanation is shown.
#[component]
pub fn Choices(options: NewKeyOptions, chosen: String, errors: Errors) -> impl IntoView {
    if let [only] = options.kinds.as_slice() {
        let word = only.as_str();
        let meaning = consequence(*only, &options);
        return view! {
            <div class="notice info"><Icon symbol=Symbol::Info/><p><input type="hidden" name="kind" value=word/>{meaning}</p></div>
        }
        .into_any();
    }
    let cards = options
        .kinds
        .iter()
        .map(|kind| {
            let word = kind.as_str();
            let title = options.kind_names.title(*kind);
            view! {
                <label class="choice">
                    <input type="radio" name="kind" value=word checked=word == chosen required/>
                    <span><b>{title}" key"</b><small>{consequence(*kind, &options)}</small></span>
                </label>
            }
        })
        .collect_view();
    view! {
        <ChoiceGroup field="kind" legend="Type" errors><div class="choices">{cards}</div></ChoiceGroup>
    }
    .into_any()
}

/// The environment of a new key, if there is a choice.
#[component]
pub fn EnvironmentChoice(
    offered: Vec<Environment>,
    chosen: String,
    errors: Errors,
) -> impl IntoView {
    if let [only] = offered[..] {
        return view! { <input type="hidden" name="environment" value=only.as_str()/> }.into_any();
    }
    let labels = offered
        .into_iter()
        .map(|environment| {
            let word = environment.as_str();
            view! {
                <label>
                    <input class="visually-hidden" type="radio" name="environment" value=word checked=word == chosen required/>
                    {environment_title(environment)}
                </label>
            }
        })
        .collect_view();
    view! {
        <ChoiceGroup field="environment" legend="Environment" hint=true errors>
            <p class="hint" id="environment-hint">"Use test keys for everything except production."</p>
            <div class="seg">{labels}</div>
        </ChoiceGroup>
    }
    .into_any()
}

/// Explains what a kind of key is for.
fn consequence(kind: Kind, options: &NewKeyOptions) -> String {
    if kind == Kind::Widget {
        return "For browsers. Visitors can read it, so it works only on your allowed domains."
            .to_owned();
    }
    let power = if options.scopes.is_empty() {
        "It has full access"
    } else {
        "It can do everything that its scopes allow"
    };
    let mut text = format!("For your servers. {power}, so never use it in a browser.");
    let in_browsers: Vec<&str> = options.browser_scopes.iter().map(Scope::as_str).collect();
    if !in_browsers.is_empty() {
        text += &format!(
            " Exception: you can use a key whose only scope is {} in a page, where visitors can read it.",
            in_browsers.join(" and ")
        );
    }
    if options.public_agents && !options.kinds.contains(&Kind::Widget) {
        text += " Pages don’t need a key: they use an agent’s public ID.";
    }
    text
}

/// The allowed domains of a widget key. The stylesheet hides the field while another kind is selected.
#[component]
fn Domains(text: String, options: NewKeyOptions, errors: Errors) -> impl IntoView {
    let subdomains = if options.covers_subdomains {
        "A domain includes its subdomains."
    } else {
        "A domain does not include its subdomains. To allow them, add *.example.com."
    };
    let localhost = match options.localhost {
        LocalhostRule::Always if options.localhost_switch => {
            " Pages on localhost are allowed unless you block them."
        }
        LocalhostRule::Always => " Pages on localhost are always allowed.",
        LocalhostRule::IfListed if !options.localhost_policy.is_empty() => {
            " Add localhost to test keys for development."
        }
        LocalhostRule::IfListed => " Add localhost for development.",
        LocalhostRule::Never => " Pages on localhost are always rejected.",
    };
    // With a switch, the policy is beside it.
    let policy = match options.localhost_switch {
        true => String::new(),
        false => options.localhost_policy,
    };
    let sentences = errors.of("domains");
    view! {
        <div class="field for-widget">
            <label for="domains">"Allowed domains"</label>
            <p class="hint" id="domains-hint">"Enter one per line, or separate them with commas. "{subdomains}{localhost}" "{policy}</p>
            <TextArea
                name="domains" text class="input mono" maxlength=20_000 placeholder="example.com"
                described_by=described_by("domains", true, sentences) invalid=invalid(sentences)
                on_change=move |text: String| check(errors, "domains", text)
            />
            <ErrorTexts field="domains" errors/>
        </div>
    }
}

/// Whether the key blocks localhost, if the convention lets each key choose. Live and test keys have a choice each, with its own
/// default; the stylesheet shows that of the selected environment.
#[component]
fn Localhost(
    offered: bool,
    environments: Vec<Environment>,
    live: bool,
    test: bool,
    /// What the organization requires of live keys.
    policy: String,
    errors: Errors,
) -> impl IntoView {
    let why = match policy.is_empty() {
        true => "Recommended for keys in production.".to_owned(),
        false => policy,
    };
    let choice =
        |name: &'static str, id: &'static str, class: &'static str, checked: bool, why: String| {
            view! {
                <label class=class>
                    <input type="checkbox" id=id name=name value="forbid" checked=checked
                        aria-invalid=invalid_text(errors.of("localhost"))
                        aria-describedby=described_by("localhost", false, errors.of("localhost"))/>
                    <span>"Block pages on localhost"<small>{why}</small></span>
                </label>
            }
        };
    let has = |environment| environments.contains(&environment);
    let live = has(Environment::Live).then(|| {
        choice(
            "localhost_live",
            "localhost-live",
            "check for-live",
            live,
            why,
        )
    });
    let test = has(Environment::Test).then(|| {
        let why = "Test keys are for development, often on localhost.".to_owned();
        choice("localhost", "localhost-test", "check for-test", test, why)
    });
    offered.then(|| {
        view! {
            // Of the choices, one is hidden: a link to the error leads here.
            <div class="field for-widget" id="localhost" tabindex="-1">
                {live}
                {test}
                <ErrorTexts field="localhost" errors/>
            </div>
        }
    })
}

/// The key's project. `projects` has the ID and name of each.
#[component]
pub fn ProjectField(
    projects: Vec<(String, String)>,
    chosen: String,
    errors: Errors,
) -> impl IntoView {
    let choices = projects
        .into_iter()
        .map(|(id, name)| {
            let selected = id == chosen;
            view! { <option value=id selected=selected>{name}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="project">"Project"</label>
            <select class="input" id="project" name="project" aria-invalid=invalid_text(errors.of("project")) aria-describedby=described_by("project", false, errors.of("project"))>{choices}</select>
            <ErrorTexts field="project" errors/>
        </div>
    }
}

/// When the key expires. The stylesheet shows the date field while "On a date…" is selected.
#[component]
fn Expiry(
    options: NewKeyOptions,
    /// The current expiry date; empty for a new key.
    kept: String,
    chosen: String,
    day: String,
    errors: Errors,
) -> impl IntoView {
    let option = |value: String, text: String| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{text}</option> }
    };
    let keep = (!kept.is_empty()).then(|| {
        // The stylesheet shows what concerns keys that never expire.
        let class = (kept == "never").then_some("never");
        let selected = chosen == "keep";
        view! { <option class=class value="keep" selected=selected>{format!("No change: {kept}")}</option> }
    });
    let lengths = options
        .days
        .iter()
        .map(|(days, text)| option(days.to_string(), text.clone()))
        .collect_view();
    let date = option("date".to_owned(), "On a date…".to_owned());
    let policy = note("expires-hint", options.expires_policy);
    let has_hint = policy.is_some();
    let never = options
        .never
        .then(|| option("never".to_owned(), "Never".to_owned()));
    view! {
        <div class="field">
            <div class="fields">
                <div class="field">
                    <label for="expires">"Expires"</label>
                    <select class="input" id="expires" name="expires" aria-invalid=invalid_text(errors.of("expires"))
                        aria-describedby=described_by("expires", has_hint, errors.of("expires"))>
                        {keep}{lengths}{date}{never}
                    </select>
                </div>
                <div class="field for-date">
                    <label for="expires_on">"Last day, in UTC"</label>
                    <input class="input" id="expires_on" name="expires_on" type="date" value=day min=options.today max=options.latest
                        aria-invalid=invalid_text(errors.of("expires")) aria-describedby=described_by("expires", has_hint, errors.of("expires"))/>
                </div>
            </div>
            {policy}
            <ErrorTexts field="expires" errors/>
        </div>
    }
}

#[component]
pub fn NameField(value: String, focused: bool, errors: Errors) -> impl IntoView {
    let check = move |name: String| {
        errors.set_soon(
            "name",
            name.parse::<KeyName>()
                .err()
                .iter()
                .map(ToString::to_string)
                .collect(),
        );
    };
    view! {
        <div class="field">
            <label for="name">"Name"</label>
            <p class="hint" id="name-hint">"Describe where the key is used, such as “Production server”. Up to 50 characters."</p>
            <input
                class="input" id="name" name="name" value=value required autocomplete="off" autofocus=focused
                aria-describedby=described_by("name", true, errors.of("name"))
                aria-invalid=invalid_text(errors.of("name"))
                on:change:target=move |event| check(event.target().value())
            />
            <ErrorTexts field="name" errors/>
        </div>
    }
}

/// What a key is needed for, in the form that asks an owner for one.
#[component]
pub fn PurposeField(text: String, errors: Errors) -> impl IntoView {
    let sentences = errors.of("purpose");
    view! {
        <div class="field">
            <label for="purpose">"Purpose"</label>
            <p class="hint" id="purpose-hint">"What the key is for, and what it must be able to do. An owner decides on this."</p>
            <TextArea name="purpose" text maxlength=500
                described_by=described_by("purpose", true, sentences) invalid=invalid(sentences)/>
            <ErrorTexts field="purpose" errors/>
        </div>
    }
}

/// The settings that both forms have, and the allowed domains of a new widget key.
#[component]
pub fn SettingsFields(
    options: NewKeyOptions,
    values: SettingsForm,
    /// The current expiry date; empty for a new key.
    kept: String,
    errors: Errors,
) -> impl IntoView {
    let is_new = kept.is_empty();
    let (ip_policy, localhost_policy) = (
        options.ip_ranges_policy.clone(),
        options.localhost_policy.clone(),
    );
    let more = values.clone();
    let project = (options.projects.len() > 1 || !is_new).then(|| {
        view! { <ProjectField projects=options.projects.clone() chosen=values.project errors/> }
    });
    let domains = (is_new && options.kinds.contains(&Kind::Widget)).then(|| {
        view! {
            <Domains text=values.domains options=options.clone() errors/>
            <Localhost offered=options.localhost_switch environments=options.environments.clone() live=values.localhost_live == "forbid"
                test=values.localhost == "forbid" policy=localhost_policy errors/>
        }
    });
    let scopes = (!options.scopes.is_empty())
        .then(|| view! { <ScopeChoice options=options.clone() access=values.access chosen=values.scopes errors/> });
    // The stylesheet shows it while both are selected.
    let unlimited = (options.never && options.no_scope_means_all && !options.scopes.is_empty()).then(|| {
        view! {
            <div class="notice warn for-full for-secret for-never"><Icon symbol=Symbol::Alert/>
                <p>"Anyone who gets this key could do everything with it until it is revoked. Select the scopes that it needs, or set an expiry date."</p>
            </div>
        }
    });
    view! {
        {project}
        {domains}
        {scopes}
        <Expiry options kept chosen=values.expires day=values.expires_on errors/>
        {unlimited}
        <MoreOptions ip_policy values=more errors/>
    }
}
