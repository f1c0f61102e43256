//! A new secret of the key that the member who asked for it can reveal.

use latchkey::{
    access::{Membership, to},
    id::{KeyId, UserId},
    key_requests::hand_over::{HandOver, find, find_own},
    role::Action,
};
use leptos::prelude::*;

use crate::{
    error::AppError,
    icons::{Icon, Symbol},
    request::PageRequest,
    text::{
        number::counted,
        time::{Time, TimeText},
    },
    values::rotation::OVERLAPS,
};

/// A new secret that waits to be revealed.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// The member who can reveal it.
    member: String,
    /// Who lets them.
    by: String,
    /// Whether the user is that member.
    is_own: bool,
    /// Until when it can be revealed.
    until: TimeText,
    /// How long the old secret works from then on, in seconds.
    overlap: i64,
    /// Whether the user can withdraw it.
    may_withdraw: bool,
}

impl NewSecret {
    /// What the user sees of the one of a key, if there is one and it concerns them.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn of(
        request: &PageRequest,
        membership: &Membership,
        id: KeyId,
    ) -> Result<Option<Self>, AppError> {
        let engine = request.engine();
        let found = match membership.permit_if_allowed::<to::SeeKeyDetails>() {
            Some(permit) => find(engine, &permit, id).await?,
            None => find_own(engine, &membership.permit()?, id).await?,
        };
        let user_id = request.user_id().await?;
        let may_withdraw = membership.may(Action::RotateKeys);
        Ok(found.map(|found| Self::new(found, user_id, may_withdraw)))
    }

    fn new(found: HandOver, user_id: UserId, may_withdraw: bool) -> Self {
        Self {
            is_own: found.user_id == user_id,
            member: found.member.to_string(),
            by: found.offerer.to_string(),
            until: TimeText::full(found.expires_at),
            overlap: found.overlap_seconds,
            may_withdraw,
        }
    }
}

#[component]
pub fn NewSecretCard(
    secret: NewSecret,
    /// The path of the key's page.
    path: String,
) -> impl IntoView {
    let withdraw = secret.may_withdraw.then(
        || view! { <button class="btn" name="change" value="withdraw-secret">"Withdraw"</button> },
    );
    if !secret.is_own {
        let withdraw =
            withdraw.map(|button| view! { <form method="post" action=path>{button}</form> });
        return view! {
            <div class="notice info">
                <Icon symbol=Symbol::Info/>
                <p>"Waiting for "{secret.member}" to reveal the new secret until "<Time text=secret.until/>". Until then, the current secret works."</p>
                {withdraw}
            </div>
        }
        .into_any();
    }
    view! {
        <section class="card" aria-labelledby="new-secret">
            <header><h2 id="new-secret">"A new secret is ready"</h2></header>
            <div class="body">
                <form method="post" action=path class="form">
                    <p>{secret.by}" rotates this key and lets you reveal the new secret. It is created when you reveal it, and shown once. "{after(secret.overlap)}" Have the place ready where you will store the new one. You can reveal it until "<Time text=secret.until/>"."</p>
                    <div class="actions">
                        <button class="btn primary" name="change" value="reveal-secret">"Reveal the new secret"</button>
                        {withdraw}
                    </div>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// What becomes of the current secret once the new one is revealed.
fn after(seconds: i64) -> String {
    let label = OVERLAPS.iter().find(|(known, _)| *known == seconds);
    match (seconds, label) {
        (0, _) => "The current secret ends when you reveal the new one.".to_owned(),
        (_, Some((_, time))) => format!("The current secret works for {time} after that."),
        (_, None) => {
            let time = counted(seconds, "second", "seconds");
            format!("The current secret works for {time} after that.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_what_becomes_of_the_current_secret() {
        for (seconds, text) in [
            (0, "The current secret ends when you reveal the new one."),
            (3_600, "The current secret works for 1 hour after that."),
            (90, "The current secret works for 90 seconds after that."),
        ] {
            assert_eq!(after(seconds), text);
        }
    }
}
