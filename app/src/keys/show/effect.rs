//! Whether the last change of a key is in effect on every instance, said live.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Between two questions whether the change is in effect everywhere, at first.
const SHORT_PAUSE: Duration = Duration::from_millis(200);
/// The same once an instance is late.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// Questions, after which the page leaves it at what it says: some 80 s, when memory has expired everywhere.
const MAX_QUESTIONS: u32 = 50;

/// How far a change has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// To every instance, in so many milliseconds where that was measured.
    Everywhere(Option<u32>),
    /// Not to every instance yet.
    Soon,
    /// Some instance does not confirm it, and applies it at this time of day at the latest.
    Late(String),
}

impl Progress {
    /// What the page says.
    fn sentence(&self) -> String {
        match self {
            Self::Everywhere(None) => "In effect on every instance.".to_owned(),
            Self::Everywhere(Some(..10)) => {
                "In effect on every instance (less than 0.01 s).".to_owned()
            }
            Self::Everywhere(Some(millis)) => {
                let (seconds, hundredths) = (millis / 1_000, millis % 1_000 / 10);
                format!("In effect on every instance ({seconds}.{hundredths:02} s).")
            }
            Self::Soon => "Takes effect everywhere within a second.".to_owned(),
            Self::Late(at_the_latest) => format!(
                "Not confirmed by every instance yet. An instance that does not respond applies the change by \
                 {at_the_latest} at the latest, because instances cache keys for at most one minute."
            ),
        }
    }
}

/// Whether the last change of a key is in effect on every instance.
#[server(prefix = "/api", endpoint = "keys/in-effect")]
pub async fn in_effect(org: String, key: String) -> Result<Progress, AppError> {
    crate::error::answer(on_the_server::in_effect(&org, &key).await)
}

/// Says how far the change has come, and where scripts run, that it has come everywhere as soon as it has.
#[component]
pub fn EffectLine(
    /// The org's slug.
    org: String,
    /// The key's id.
    id: String,
    /// How far it has come by now.
    now: Progress,
) -> impl IntoView {
    match now {
        Progress::Everywhere(_) => view! { <p>{now.sentence()}</p> }.into_any(),
        _ => view! { <p><FollowEffect org key=id now/></p> }.into_any(),
    }
}

/// Asks until the change is in effect on every instance.
#[island]
pub fn FollowEffect(
    /// The org's slug.
    org: String,
    /// The key's id.
    key: String,
    /// How far it had come when the page was rendered.
    now: Progress,
) -> impl IntoView {
    let said = RwSignal::new(now);
    Effect::new(move |_| ask(org.clone(), key.clone(), said, MAX_QUESTIONS));
    view! { <span role="status" aria-live="polite">{move || said.with(Progress::sentence)}</span> }
}

/// Asks after a pause, and again while it is not in effect everywhere. A question that fails is asked again.
fn ask(org: String, key: String, said: RwSignal<Progress>, left: u32) {
    let pause = match said.get_untracked() {
        Progress::Late(_) => LONG_PAUSE,
        _ => SHORT_PAUSE,
    };
    let question = move || {
        spawn_local(async move {
            if let Ok(now) = in_effect(org.clone(), key.clone()).await
                && said.get_untracked() != now
            {
                said.set(now);
            }
            let is_done = matches!(said.get_untracked(), Progress::Everywhere(_));
            if !is_done && left > 1 {
                ask(org, key, said, left - 1);
            }
        });
    };
    set_timeout(question, pause);
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::{
        effects::{self, Effect},
        id::KeyId,
        time::SECOND,
    };

    use super::Progress;
    use crate::{error::AppError, session, time_text::time_of_day};

    pub async fn in_effect(org: &str, key: &str) -> Result<Progress, AppError> {
        let membership = session::membership(org).await?;
        let id: KeyId = key.parse().map_err(|_| AppError::NotFound)?;
        let change = effects::of_key(&*session::engine()?, &membership.permit()?, id)
            .await?
            .ok_or(AppError::NotFound)?;
        Ok(change.effect.into())
    }

    impl From<Effect> for Progress {
        fn from(effect: Effect) -> Self {
            match effect {
                Effect::Everywhere { after } => {
                    Self::Everywhere(after.and_then(|millis| u32::try_from(millis).ok()))
                }
                Effect::Soon => Self::Soon,
                // Seconds are cut off when they are shown.
                Effect::Late { at_the_latest } => {
                    Self::Late(time_of_day(at_the_latest.plus(SECOND - 1)))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_how_long_it_took_or_when_it_is_certain() {
        let sentences = [
            Progress::Everywhere(Some(84)),
            Progress::Everywhere(Some(1_204)),
            Progress::Everywhere(Some(3)),
            Progress::Everywhere(None),
            Progress::Soon,
            Progress::Late("12:01:05 UTC".to_owned()),
        ]
        .map(|effect| effect.sentence());
        insta::assert_snapshot!(sentences.join("\n"), @r"
        In effect on every instance (0.08 s).
        In effect on every instance (1.20 s).
        In effect on every instance (less than 0.01 s).
        In effect on every instance.
        Takes effect everywhere within a second.
        Not confirmed by every instance yet. An instance that does not respond applies the change by 12:01:05 UTC at the latest, because instances cache keys for at most one minute.
        ");
    }
}
