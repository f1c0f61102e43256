//! The notice of a key that does not work or soon will not, or that was just changed.

use latchkey::{findings::Code, key::Status};
use leptos::prelude::*;

use super::{data::KeyView, effect::EffectLine};
use crate::{
    icons::{Icon, Symbol},
    pages::{
        keys::{finding_text::SeverityTag, state::URGENT_DAYS},
        owners::AskOwner,
    },
    text::{days::days_text, time::Time, words::reason_text},
};

/// Explains why the key does not work or soon will not, and whether its last change is in effect on every instance.
#[component]
pub fn StateNotice(org: String, path: String, key: KeyView) -> impl IntoView {
    let (details, id) = (key.details, key.id);
    let has_details = details.is_some();
    let effect = key.effect.map(|now| view! { <EffectLine org id now/> });
    let extend = details
        .as_ref()
        .filter(|details| details.may_edit)
        .and_then(|details| {
            let text = details.extend.clone()?;
            Some(view! { <ExtendButton path base=details.tag.clone() text/> })
        });
    let (tone, symbol, text, act) = match (key.state.status, key.state.expires_in_days) {
        (Status::Active, None) if effect.is_none() => return None,
        (Status::Active, None) => {
            // Replaced by a change in place, whose message says whether it is in effect.
            return Some(view! {
                <div class="notice ok" id="changed"><Icon symbol=Symbol::Check/><div><p>"Changed just now."</p>{effect}</div></div>
            }.into_any());
        }
        (Status::Active, Some(days)) => {
            let ask = extend
                .is_none()
                .then(|| view! { " "<AskOwner to="extend it"/> });
            let finding = details.as_ref().and_then(|details| {
                let mut findings = details.findings.iter();
                findings.find(|finding| finding.code == Code::ExpiresSoon)
            });
            let severity =
                finding.map(|finding| view! { <SeverityTag severity=finding.severity/>" " });
            let text = view! { {severity}"Expires in "{days_text(days)}". Requests with it are rejected from then on."{ask} };
            let tone = if days <= URGENT_DAYS {
                "notice bad"
            } else {
                "notice warn"
            };
            (tone, Symbol::Alert, text.into_any(), extend)
        }
        (Status::Disabled, _) => {
            let since = details
                .and_then(|details| details.disabled)
                .map(|(time, by)| view! { " since "<Time text=time/>{by} });
            // Whoever sees the details has read above whom to ask.
            let may_ask = !key.may_disable && !has_details;
            let ask = may_ask.then(|| view! { " "<AskOwner to="enable it"/> });
            let until = match key.may_disable {
                true => "until you enable it again",
                false => "until it is enabled again",
            };
            (
                "notice info",
                Symbol::Info,
                view! { "Disabled"{since}". Requests with it are rejected "{until}"."{ask} }
                    .into_any(),
                None,
            )
        }
        (Status::Expired, _) => {
            let ask = extend
                .is_none()
                .then(|| view! { " "<AskOwner to="extend it"/> });
            (
                "notice warn",
                Symbol::Alert,
                view! { "Expired. Requests with it are rejected."{ask} }.into_any(),
                extend,
            )
        }
        (Status::Revoked, _) => {
            let reason = key
                .state
                .reason
                .map(|reason| format!(": {}", reason_text(reason)));
            let on = details
                .and_then(|details| details.revoked)
                .map(|(time, by)| view! { " on "<Time text=time/>{by} });
            ("notice bad", Symbol::Alert, view! { "Revoked"{on}{reason}". Requests with it are rejected. This cannot be undone." }.into_any(), None)
        }
    };
    let effect = effect.map(|effect| view! { <div id="changed">{effect}</div> });
    Some(
        view! { <div class=tone><Icon symbol/><div><p>{text}</p>{effect}</div>{act}</div> }
            .into_any(),
    )
}

#[component]
fn ExtendButton(
    path: String,
    /// The fingerprint of the key.
    base: String,
    text: String,
) -> impl IntoView {
    view! {
        <form method="post" action=path>
            <input type="hidden" name="base" value=base/>
            <button class="btn" name="change" value="extend">{text}</button>
        </form>
    }
}
