//! The page that shows a key once: the response to the form that created or rotated it.

use latchkey::key::Kind;
use leptos::prelude::*;
use leptos_meta::{Meta, Title};

use crate::{
    heading::{Breadcrumbs, Heading},
    pages::{
        examples::{Example, ExampleTabs, TOKEN_VARIABLE, VERIFY_TAB, YOUR_TOKEN, examples},
        keys::show::details::OptionalSettings,
        once::OnceCard,
    },
    shown_once::{CreatedKey, KeyOutcome},
    text::{
        time::{Time, date},
        words::environment_title,
    },
    values::shown_once::{KeyAnswer, ShownOnce},
};

#[component]
pub fn CreatedKeyView(created: CreatedKey) -> impl IntoView {
    view! {
        <Title text=title(&created)/>
        // The URL that the browser loads on reload or back: see `history.rs`.
        <Meta name="address" content=created.path.clone()/>
        <Body made=created/>
    }
}

/// Converts the result of a form into the response to its island.
pub fn for_island(outcome: KeyOutcome) -> KeyAnswer {
    match outcome {
        KeyOutcome::Shown(created) => KeyAnswer::Shown(ShownOnce {
            title: title(&created),
            path: created.path.clone(),
            html: Owner::new().with(|| view! { <Body made=*created/> }.to_html()),
        }),
        KeyOutcome::ShownBefore(path) => KeyAnswer::ShownBefore(path),
        KeyOutcome::Refused(errors) => KeyAnswer::Refused(errors),
    }
}

fn title(made: &CreatedKey) -> String {
    if made.is_rotated {
        format!("{} has a new secret", made.settings.name)
    } else {
        format!("{} is ready", made.settings.name)
    }
}

/// The content of the page.
#[component]
fn Body(made: CreatedKey) -> impl IntoView {
    let keys_path = made
        .path
        .rsplit_once('/')
        .map_or("", |(keys, _)| keys)
        .to_owned();
    let domains = domains(&made);
    let tabs = view! {
        <ExampleTabs examples=examples(Example {
            key: Some(&made.key),
            kind: made.kind,
            domains: &domains,
            ip_ranges: &made.settings.ip_ranges,
            terms: &made.terms,
            addresses: &made.addresses,
        })/>
    };
    let tokens = keys_path.replace("/keys", "/tokens");
    let docs = made.addresses.docs().to_owned();
    let lead = facts(&made).into_any();
    let details = view! { <Details made=made.clone()/> };
    let title = title(&made);
    let name = made.settings.name.to_string();
    let CreatedKey {
        key,
        path,
        is_rotated,
        is_requested,
        old_ends,
        ..
    } = made;
    let old = is_rotated.then(|| match old_ends {
        Some(text) => {
            view! { <p class="small">"The old secret works until "<Time text/>"."</p> }.into_any()
        }
        None => view! { <p class="small">"The old secret no longer works."</p> }.into_any(),
    });
    let if_lost = if is_requested {
        "If you lose it, ask an owner to rotate the key. They can let you reveal the new secret yourself."
    } else if is_rotated {
        "If you lose it, rotate the key again. If the old secret still works, end it first."
    } else {
        "If you lose it, rotate the key. Its settings and history are kept."
    };
    let note = view! {
        <p class="muted small">"Latchkey stores only a digest. "{if_lost}</p>
        {old}
    };
    let more = view! {
        {tabs}
        // In a tab of their own: leaving this page loses the key.
        <p class="hint">
            "“"{VERIFY_TAB}"” reads a service token from "<code>{TOKEN_VARIABLE}</code>". If this variable is not set, replace “"{YOUR_TOKEN}"”. "
            {(!is_requested).then(|| view! { <a class="link" href=tokens target="_blank" rel="noopener">"Create a service token"</a>" · " })}
            <a class="link" href=docs target="_blank" rel="noopener">"Documentation"</a>
        </p>
    };
    view! {
        <Breadcrumbs above=vec![(keys_path, "Keys".to_owned())] here=name.clone()/>
        <Heading title lead=Some(lead) beside=None actions=None/>
        <div class="stack">
            <OnceCard title="Copy it now. It will not be shown again." note=note.into_any() text=key.expose().to_owned() copies="key"
                guards=Some("key") path more=more.into_any()/>
            {details}
        </div>
    }
}

/// The details, which the key's page also shows.
#[component]
fn Details(made: CreatedKey) -> impl IntoView {
    let expires = made
        .settings
        .expires_at
        .map_or_else(|| "Never".to_owned(), date);
    let domains = (made.kind == Kind::Widget)
        .then(|| view! { <dt>"Allowed domains"</dt><dd>{domains(&made).join(", ")}</dd> });
    let scopes = made
        .scopes
        .map(|scopes| view! { <dt>"Scopes"</dt><dd>{scopes}</dd> });
    let by = made.created_by.map(|name| format!(" by {name}"));
    view! {
        <section class="card" aria-labelledby="details">
            <header><h2 id="details">"Details"</h2></header>
            <dl class="facts body">
                <dt>"Name"</dt><dd>{made.settings.name.to_string()}</dd>
                <dt>"ID"</dt><dd class="id"><code>{made.id}</code></dd>
                <dt>"Type"</dt><dd>{made.terms.kind}</dd>
                <dt>"Environment"</dt><dd>{environment_title(made.environment)}</dd>
                {scopes}
                {domains}
                <OptionalSettings settings=made.settings keys=None/>
                <dt>"Created"</dt><dd>{made.created}{by}</dd>
                <dt>"Expires"</dt><dd>{expires}</dd>
                <dt>"Rate limit"</dt><dd>{made.terms.rate_limits}</dd>
                <dt>"Organization ID"</dt><dd><code>{made.org_id}</code></dd>
            </dl>
        </section>
    }
}

/// A one-line summary of the key.
fn facts(made: &CreatedKey) -> String {
    let kind = format!("{} key", made.terms.kind);
    let environment = environment_title(made.environment).to_owned();
    let domains = (made.kind == Kind::Widget).then(|| match domains(made).as_slice() {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, others @ ..] => format!("{one} and {} more domains", others.len()),
        [] => String::new(),
    });
    let expires = made.settings.expires_at.map_or_else(
        || "never expires".to_owned(),
        |at| format!("expires {}", date(at)),
    );
    [Some(kind), Some(environment), domains, Some(expires)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

/// The allowed domains of a widget key.
fn domains(made: &CreatedKey) -> Vec<String> {
    made.settings
        .domains
        .iter()
        .map(ToString::to_string)
        .collect()
}
