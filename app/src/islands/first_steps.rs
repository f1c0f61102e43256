//! The steps from the first key to the first request.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::copy_button::CopyButton;
use crate::{
    calls::steps_done,
    icons::{Icon, Symbol},
    values::first_steps::{FirstSteps, UsedKey},
};

/// The pause between two requests.
const PAUSE: Duration = Duration::from_secs(2);
/// The most requests: a tab that stays open asks for half an hour.
const MAX_QUESTIONS: u32 = 900;

/// The steps. They turn green by themselves; without JavaScript, the page has to be loaded again.
#[island]
pub fn FirstStepsList(
    /// The organization's slug.
    org: String,
    now: FirstSteps,
    /// The command that checks a key.
    check: String,
) -> impl IntoView {
    let waits = !now.request;
    let steps = RwSignal::new(now);
    let tokens = format!("/orgs/{org}/tokens");
    Effect::new(move |_| {
        if waits {
            ask(org.clone(), steps, MAX_QUESTIONS);
        }
    });
    let token = Signal::derive(move || steps.with(|steps| steps.token));
    let request = Signal::derive(move || steps.with(|steps| steps.request));
    let said = move || {
        steps.with(|steps| match &steps.rejected {
            _ if steps.request => "The first request was valid. Everything works.".to_owned(),
            Some(reason) => format!("A request arrived, but was rejected: {reason}."),
            None => String::new(),
        })
    };
    let class = move || {
        if said().is_empty() {
            "visually-hidden"
        } else {
            "body small steps-done"
        }
    };
    view! {
        <ol class="steps body">
            <Step title="Key" done=Signal::stored(true)>
                <p>"Created."</p>
            </Step>
            <Step title="Service token" done=token>
                <p>"Your API servers call Latchkey with it."</p>
                {move || (!token.get()).then(|| view! { <div class="row"><a class="btn small" href=tokens.clone()>"Create a service token"</a></div> })}
            </Step>
            <Step title="First request" done=request>
                <p>"Ask Latchkey whether the key is valid. Set the two variables, or put the token and the key in their places:"</p>
                <div class="tabs"><div class="panel only">
                    <pre tabindex="0"><code id="first-check">{check}</code></pre>
                    <CopyButton of="first-check".to_owned() class="btn".to_owned() text="Copy".to_owned() copied="Copied".to_owned()/>
                </div></div>
            </Step>
        </ol>
        // Always there, so that screen readers announce what it says.
        <p class=class role="status">{said}</p>
    }
}

#[component]
fn Step(title: &'static str, done: Signal<bool>, children: Children) -> impl IntoView {
    let class = move || if done.get() { "step done" } else { "step" };
    let state = move || if done.get() { "done" } else { "to do" };
    view! {
        <li class=class>
            {move || if done.get() { view! { <Icon symbol=Symbol::Check/> } } else { view! { <Icon symbol=Symbol::Circle/> } }}
            <div><b>{title}<span class="visually-hidden">", "{state}</span></b>{children()}</div>
        </li>
    }
}

/// Sends a request after a pause, and the next one unless everything is done. A failed request is repeated.
fn ask(org: String, steps: RwSignal<FirstSteps>, left: u32) {
    let question = move || {
        spawn_local(async move {
            if let Ok(now) = steps_done(org.clone()).await
                && steps.with_untracked(|steps| *steps != now)
            {
                if let Some(used) = &now.used {
                    show_use(used);
                }
                steps.set(now);
            }
            if steps.with_untracked(|steps| !steps.request) && left > 1 {
                ask(org, steps, left - 1);
            }
        });
    };
    set_timeout(question, PAUSE);
}

/// Shows the use of a key in its row of the list below.
fn show_use(used: &UsedKey) {
    let row = document().get_element_by_id(&used.id);
    let cell = row.and_then(|row| row.query_selector("td.used").ok().flatten());
    if let (Some(cell), Ok(time)) = (cell, document().create_element("time")) {
        time.set_text_content(Some(&used.at.short));
        // The names of these attributes are valid, and the cell takes any element.
        let _ = time.set_attribute("datetime", &used.at.iso);
        let _ = time.set_attribute("title", &used.at.full);
        cell.set_text_content(None);
        let _ = cell.append_child(&time);
    }
}
