//! The page of a request.

use latchkey::{key::settings::KeySettings, key_requests::State};
use leptos::prelude::*;

use super::{
    changes::ChangesCard,
    data::{Decided, RequestView, load},
    fields::RequestForm,
};
use crate::{
    form::{
        errors::{ErrorTexts, Errors, FormError, described_by, invalid},
        text_area::TextArea,
    },
    icons::{Icon, Symbol},
    pages::{
        audit::{HistoryCard, entries_of_request},
        forms::{fields_and_errors, shown},
        frame::{Breadcrumbs, PageHead},
        key_requests::{
            allowed::{Obstacles, Warnings},
            ask_path,
            new::AGAIN,
            request_path, requests_path,
            state::StateTag,
        },
        keys::{
            show::{details::OptionalSettings, new_secret::NewSecretCard},
            shown_once::CreatedKeyView,
        },
        owners::AskOwner,
        page::page,
    },
    text::{
        query::query_of,
        time::{Time, TimeText},
    },
};

#[component]
pub fn RequestPage() -> impl IntoView {
    // Does not depend on loading the request: the key cannot be shown again.
    if let Some(created) = shown() {
        return view! { <CreatedKeyView created/> }.into_any();
    }
    page(load, |request, view| {
        let (org, path) = (request.org().to_owned(), request_path(&request));
        view! { <RequestPageView org path view/> }
    })
    .into_any()
}

#[component]
fn RequestPageView(org: String, path: String, view: RequestView) -> impl IntoView {
    let (typed, errors) = fields_and_errors(RequestForm::default);
    let errors = Errors::new(errors);
    let name = view.request.wanted.settings.name.to_string();
    let state = view.request.state;
    let decides = view.may_decide && !view.is_own;
    let is_hindered = !view.allowed.obstacles.is_empty();
    let beside = view! { <StateTag state is_own=view.is_own is_hindered/> }.into_any();
    let lead = view! { "Asked by "{view.request.requester.1.to_string()}" on "<Time text=view.created.clone()/>"." }.into_any();
    let new_secret = view.new_secret.clone();
    let new_secret = new_secret.map(|(path, secret)| view! { <NewSecretCard secret path/> });
    let step = match state {
        State::Approved if view.is_own => {
            let until = view.decided.clone().and_then(|decided| decided.until);
            let can_be = view.allowed.obstacles.is_empty();
            view! { <RevealCard path=path.clone() until can_be/> }.into_any()
        }
        State::Open if view.is_own => {
            view! { <WaitCard path=path.clone() decides=view.may_decide/> }.into_any()
        }
        _ => ().into_any(),
    };
    // Last: an owner reads what they decide on first.
    let decision = (decides && matches!(state, State::Open | State::Approved)).then(|| {
        view! { <DecideCard path=path.clone() view=view.clone() typed errors/> }
    });
    let history = view.history.clone().map(|items| {
        view! { <HistoryCard items href=entries_of_request(&org, &view.request.id.to_string())/> }
    });
    let by = view.request.changed_by.as_ref().map(ToString::to_string);
    view! {
        <Breadcrumbs above=vec![(requests_path(&org), "Key requests".to_owned())] here=name.clone()/>
        <PageHead title=name beside lead/>
        <div class="stack">
            <FormError errors/>
            <Outcome org view=view.clone()/>
            <Needed view=view.clone()/>
            {step}
            {new_secret}
            <Warnings allowed=view.allowed.clone()/>
            <PurposeCard purpose=view.request.purpose.clone()/>
            <ChangesCard changes=view.changes.clone() by state/>
            <KeyCard view/>
            {decision}
            {history}
        </div>
    }
}

/// What has been decided or done, and what follows.
#[component]
fn Outcome(org: String, view: RequestView) -> impl IntoView {
    let RequestView {
        request,
        is_own,
        decided,
        changes,
        ..
    } = view;
    let changed = (!changes.is_empty()).then_some(", with changes");
    let key = request.key.map(|id| format!("/orgs/{org}/keys/{id}"));
    let again = format!(
        "{}{}",
        ask_path(&org),
        query_of(&[(AGAIN, &request.id.to_string())])
    );
    let ask = is_own.then(|| view! { " "<a href=again>"Ask again"</a> });
    let comment = decided
        .as_ref()
        .filter(|decided| !decided.comment.is_empty())
        .map(|decided| view! { <p>"“"{decided.comment.clone()}"”"</p> });
    let was_approved = decided
        .clone()
        .filter(|_| request.state == State::Withdrawn)
        .map(|Decided { by, at, .. }| view! { " It had been approved by "{by}" on "<Time text=at/>"." });
    let by = decided.map(|Decided { by, at, .. }| view! { {by}" on "<Time text=at/> });
    let (class, content) = match request.state {
        State::Open if request.lapsed().is_some() => (
            "notice warn",
            view! { <p><b>"The approval no longer counts."</b>" "{by}" approved this request and can no longer approve requests. Another owner must approve it."</p> }.into_any(),
        ),
        State::Open => return ().into_any(),
        State::Approved => ("notice ok", view! { <p>"Approved by "{by}{changed}"."</p> }.into_any()),
        State::Declined => ("notice bad", view! { <p>"Declined by "{by}"."{ask}</p> }.into_any()),
        State::Withdrawn => ("notice info", view! { <p>"This request was withdrawn."{was_approved}{ask}</p> }.into_any()),
        State::Expired => (
            "notice warn",
            view! { <p>"Approved by "{by}{changed}", but not revealed within seven days. No key was created."{ask}</p> }.into_any(),
        ),
        State::Created => {
            let lost = is_own.then(|| view! { " If you did not copy it: "<AskOwner to="rotate it"/>" They can let you reveal the new secret yourself." });
            let link = key.map(|key| view! { " "<a href=key>"View the key"</a> });
            (
                "notice info",
                view! { <p>"Approved by "{by}{changed}". The key was revealed, and was shown at that time. It cannot be shown again."{lost}{link}</p> }.into_any(),
            )
        }
    };
    let symbol = match class {
        "notice ok" => Symbol::Check,
        "notice info" => Symbol::Info,
        _ => Symbol::Alert,
    };
    view! { <div class=class><Icon symbol/><div>{content}{comment}</div></div> }.into_any()
}

/// What must be changed before the key can be approved or revealed.
#[component]
fn Needed(view: RequestView) -> impl IntoView {
    let decides = view.may_decide && !view.is_own;
    let is_open = view.request.state == State::Open;
    let title = match is_open {
        true => "This key cannot be approved as it is.",
        false => "This key cannot be revealed as it was approved.",
    };
    let advice = match (decides, is_open) {
        (true, true) => "Change the request, or decline it.".to_owned(),
        (true, false) => format!(
            "Take the approval back, so that {} can ask again.",
            view.request.requester.1
        ),
        (false, true) => {
            "An owner can change it. You can also withdraw it and ask again.".to_owned()
        }
        (false, false) => "Withdraw the request, and ask again.".to_owned(),
    };
    let obstacles = view.allowed.obstacles;
    (!obstacles.is_empty()).then(|| view! { <Obstacles title=title.to_owned() obstacles advice/> })
}

/// The decision of an owner.
#[component]
fn DecideCard(
    path: String,
    view: RequestView,
    typed: RequestForm,
    errors: Errors,
) -> impl IntoView {
    let is_open = view.request.state == State::Open;
    let sentences = errors.of("comment");
    let can_be_approved = is_open && view.allowed.obstacles.is_empty();
    let (title, hint, decline) = match (is_open, can_be_approved) {
        (true, true) => (
            "Decide",
            "Approving creates nothing: the key is created when the requester reveals it, within seven days. If you decline, say why.",
            "Decline",
        ),
        (true, false) => (
            "Decide",
            "You can approve the request once you have changed it. If you decline, say why.",
            "Decline",
        ),
        (false, _) => (
            "Take the approval back",
            "The key was not revealed yet. If you take the approval back, it cannot be, and the request is declined. Say why.",
            "Take approval back",
        ),
    };
    let approve = can_be_approved.then(
        || view! { <button class="btn primary" name="change" value="approve">"Approve"</button> },
    );
    let class = match can_be_approved {
        true => "btn",
        false => "btn primary",
    };
    let change =
        is_open.then(|| view! { <a class=class href=format!("{path}/edit")>"Change…"</a> });
    view! {
        <section class="card" aria-labelledby="decide">
            <header><h2 id="decide">{title}</h2></header>
            <div class="body">
                <form novalidate=true class="form" method="post" action=path>
                    <input type="hidden" name="version" value=view.request.version/>
                    <div class="field">
                        <label for="comment">"Comment "{can_be_approved.then(|| view! { <span class="optional">"optional if you approve"</span> })}</label>
                        <p class="hint" id="comment-hint">{hint}</p>
                        <TextArea name="comment" text=typed.comment maxlength=500
                            described_by=described_by("comment", true, sentences) invalid=invalid(sentences)/>
                        <ErrorTexts field="comment" errors/>
                    </div>
                    <div class="actions">
                        {approve}
                        {change}
                        <button class="btn danger" name="change" value="decline">{decline}</button>
                    </div>
                </form>
            </div>
        </section>
    }
}

/// The requester's step after an approval.
#[component]
fn RevealCard(
    path: String,
    /// Until when the key can be revealed.
    until: Option<TimeText>,
    /// Whether it can be, as it was approved.
    can_be: bool,
) -> impl IntoView {
    let reveal = can_be.then(
        || view! { <button class="btn primary" name="change" value="reveal">"Reveal key"</button> },
    );
    let (title, text) = match can_be {
        true => (
            "Your key is ready",
            "The key is created when you reveal it, and shown once. Have the place ready where you will store it.",
        ),
        false => ("Your key was approved", "Nothing has been created yet."),
    };
    let until = until.filter(|_| can_be);
    let until = until.map(|text| view! { " You can reveal it until "<Time text/>"." });
    view! {
        <section class="card" aria-labelledby="reveal">
            <header><h2 id="reveal">{title}</h2></header>
            <div class="body">
                <form method="post" action=path class="form">
                    <p>{text}{until}</p>
                    <div class="actions">
                        {reveal}
                        <button class="btn" name="change" value="withdraw">"Withdraw request"</button>
                    </div>
                </form>
            </div>
        </section>
    }
}

/// The requester waits.
#[component]
fn WaitCard(
    path: String,
    /// Whether the requester decides on requests of others.
    decides: bool,
) -> impl IntoView {
    let who = match decides {
        true => view! { "You asked for this key yourself. Another owner must decide." }.into_any(),
        false => view! { "This request waits for an owner. "<AskOwner to="decide"/> }.into_any(),
    };
    view! {
        <section class="card" aria-labelledby="wait">
            <header><h2 id="wait">"Waiting for a decision"</h2></header>
            <div class="body">
                <form method="post" action=path class="form">
                    <p>{who}</p>
                    <div class="actions"><button class="btn" name="change" value="withdraw">"Withdraw request"</button></div>
                </form>
            </div>
        </section>
    }
}

/// What the requester says. Line breaks are kept.
#[component]
fn PurposeCard(purpose: String) -> impl IntoView {
    let lines = purpose
        .lines()
        .map(|line| view! { <p>{line.to_owned()}</p> })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="purpose">
            <header><h2 id="purpose">"Purpose"</h2></header>
            <div class="body small">{lines}</div>
        </section>
    }
}

/// The key that would be created.
#[component]
fn KeyCard(view: RequestView) -> impl IntoView {
    let RequestView {
        request,
        allowed,
        project,
        ..
    } = view;
    let optional = request.wanted.settings.clone();
    let KeySettings {
        name,
        scopes,
        domains,
        localhost_forbidden,
        notes,
        metadata,
        ..
    } = request.wanted.settings;
    // The table above says it, unless the request was changed before Latchkey kept what was asked for.
    let changed = request
        .changed_by
        .filter(|_| request.asked.is_none())
        .map(|by| view! { <span class="muted small">"Changed by "{by.to_string()}</span> });
    let fact = |title: &'static str, text: String| {
        (!text.is_empty()).then(|| view! { <dt>{title}</dt><dd>{text}</dd> })
    };
    let joined = |texts: Vec<String>| texts.join(", ");
    let localhost = if localhost_forbidden { "Blocked" } else { "" };
    let metadata = match metadata.as_json() {
        "{}" => None,
        json => Some(
            view! { <dt>"Metadata"</dt><dd><pre class="wrap"><code>{json.to_owned()}</code></pre></dd> },
        ),
    };
    view! {
        <section class="card" aria-labelledby="key">
            <header><h2 id="key">"Key"</h2>{changed}</header>
            {allowed.sentence.map(|sentence| view! { <p class="body small">{sentence}</p> })}
            <dl class="facts body">
                {fact("Name", name.to_string())}
                {fact("Type", allowed.kind)}
                {fact("Project", project.unwrap_or_default())}
                {fact("Scopes", joined(scopes.iter().map(ToString::to_string).collect()))}
                {fact("Allowed domains", joined(domains.iter().map(ToString::to_string).collect()))}
                {fact("Localhost", localhost.to_owned())}
                {fact("Expires", allowed.expires)}
                <OptionalSettings settings=optional keys=None/>
                {fact("Notes", notes)}
                {metadata}
            </dl>
        </section>
    }
}
