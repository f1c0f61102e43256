//! `/orgs/{org}/keys/find`: finds a key by its secret. The secret is only in the body of the request.

use latchkey::{
    access::{Membership, to},
    id::ServiceTokenId,
    key::text::PlainKey,
    keys::find_by_secret::{
        FindBySecretError, Found, MAX_TEXT, Reach, SecretShape, find_by_secret,
    },
    role::Action,
    service_tokens,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::keys_path;
use crate::{
    error::AppError,
    form::errors::{ErrorTexts, Errors, FormError, described_by, invalid_text},
    icons::{Icon, Symbol},
    pages::tokens::status_title,
    pages::{
        answer::FormAnswer,
        forms::fields_and_errors,
        frame::{Breadcrumbs, PageHead},
        owners::AskOwner,
        page::page,
    },
    request::PageRequest,
    text::time::{Time, TimeText},
};

/// The query parameter of a key's pages after it was found by its secret: on its page, the ID of that secret.
pub const FOUND: &str = "found";
/// The query parameter of the page after a secret that no key has.
const NOT_FOUND: &str = "none";
/// Its values if the text is only a part of a key, and if it does not look like one.
const PART: &str = "part";
const OTHER: &str = "other";
/// Its value if the text looks like a service token, and the parameter with the ID of one that was found.
const TOKEN: &str = "token";

/// The fields of the form.
#[derive(Debug, Clone, Deserialize)]
pub struct FindForm {
    secret: PlainKey,
}

impl FindForm {
    /// The form as it is always rendered: a secret is never sent back.
    fn blank() -> Self {
        Self {
            secret: PlainKey::from_presented(""),
        }
    }
}

/// Looks up the secret. The response is a redirect without it: to the key, or to this page, which says that there is none.
///
/// # Errors
/// If the user has looked up too many.
pub async fn submit(
    request: PageRequest,
    form: FindForm,
) -> Result<FormAnswer<FindForm>, AppError> {
    let membership = request.membership().await?;
    let own = membership.permit::<to::SeeOwnKeys>()?;
    let all = membership.permit_if_allowed::<to::SeeKeyDetails>();
    let reach = all.as_ref().map_or(Reach::Own(&own), Reach::All);
    if form.secret.expose().trim().is_empty() {
        let sentence = "Paste a key, or the SHA-256 of one.";
        return Ok(FormAnswer::refused(FindForm::blank(), "secret", sentence));
    }
    let found = match find_by_secret(request.engine(), reach, &form.secret).await {
        Ok(found) => found,
        Err(FindBySecretError::TooMany { retry_after }) => {
            let retry_after = u32::try_from(retry_after).unwrap_or(u32::MAX);
            return Err(AppError::TooOften { retry_after });
        }
        Err(FindBySecretError::TooLong) => return Err(AppError::TooLarge),
        Err(FindBySecretError::Fault(fault)) => return Err(fault.into()),
    };
    let keys = keys_path(&request);
    let path = match found {
        Some(Found::Key { key_id, secret_id }) => format!("{keys}/{key_id}?{FOUND}={secret_id}"),
        Some(Found::Token(id)) => format!("{keys}/find?{TOKEN}={id}"),
        None if form.secret.expose().contains(service_tokens::PREFIX) => {
            format!("{keys}/find?{NOT_FOUND}={TOKEN}")
        }
        None => {
            let shape = SecretShape::of(form.secret.expose(), request.engine().convention());
            let shape = match shape {
                SecretShape::Whole => "1",
                SecretShape::Part => PART,
                SecretShape::Other => OTHER,
            };
            format!("{keys}/find?{NOT_FOUND}={shape}")
        }
    };
    Ok(FormAnswer::Redirect { path, done: None })
}

/// The content of the page.
struct Find {
    may_create: bool,
    /// What the URL says of the last text if it is the secret of no key; empty if there was none.
    none: String,
    /// The path of the service tokens, if the last secret looks like one and the user can see them.
    tokens: Option<String>,
    /// Whether the last secret looks like a service token.
    is_token: bool,
    /// The service token with the last secret.
    token: Option<FoundToken>,
    /// Whether the user finds every key, and not only those that they have created.
    finds_all: bool,
}

/// A service token that was found.
struct FoundToken {
    name: String,
    /// "Active", "Expired" or "Revoked".
    status: &'static str,
    works: bool,
    /// When it was last used; `None` for never.
    last_used: Option<TimeText>,
    /// The page that asks before revoking it, if the user can.
    revoke: Option<String>,
}

async fn load(request: PageRequest) -> Result<Find, AppError> {
    let membership = request.membership().await?;
    membership.permit::<to::SeeOwnKeys>()?;
    let token = found_token(&request, &membership).await?;
    let is_token = request.parameter(NOT_FOUND) == TOKEN;
    let tokens = is_token && membership.may(Action::ManageTokens);
    Ok(Find {
        may_create: membership.may(Action::CreateKeys),
        none: request.parameter(NOT_FOUND),
        tokens: tokens.then(|| format!("/orgs/{}/tokens", request.org())),
        is_token,
        token,
        finds_all: membership.may(Action::SeeKeyDetails),
    })
}

/// Loads the service token that the URL names, for those who find them.
async fn found_token(
    request: &PageRequest,
    membership: &Membership,
) -> Result<Option<FoundToken>, AppError> {
    let permit = membership.permit_if_allowed::<to::SeeKeyDetails>();
    let (Some(permit), Ok(id)) = (permit, request.parameter(TOKEN).parse::<ServiceTokenId>())
    else {
        return Ok(None);
    };
    let (engine, now) = (request.engine(), request.engine().clock().now());
    let token = service_tokens::found_in_org(engine, &permit, id).await?;
    Ok(token.map(|token| {
        let status = token.status(now);
        let works = status == "active";
        let may_revoke = works && membership.may(Action::ManageTokens);
        FoundToken {
            name: token.name.to_string(),
            status: status_title(status),
            works,
            last_used: token.last_used_at.map(|at| TimeText::relative(at, now)),
            revoke: may_revoke.then(|| format!("/orgs/{}/tokens?revoke={id}", request.org())),
        }
    }))
}

#[component]
pub fn FindKeyPage() -> impl IntoView {
    page(load, |request, find| {
        let (_, errors) = fields_and_errors(FindForm::blank);
        let errors = Errors::new(errors);
        let sentences = errors.of("secret");
        let keys = keys_path(&request);
        let is_none = !find.none.is_empty();
        let none = is_none.then(|| {
            let import = if find.may_create {
                " Keys that were created elsewhere can be found once they are imported."
            } else {
                ""
            };
            let words = match (find.is_token, find.tokens) {
                (false, _) if find.none == PART => view! { "This is not a whole key: a part of it is missing, hidden or changed. Paste all of it. If you have only the beginning or the last four characters, search for them under "<a href=keys.clone()>"Keys"</a>"." }.into_any(),
                (false, _) if find.none == OTHER && !find.finds_all => view! { "This does not look like a key of this Latchkey. Check that you copied it completely." }.into_any(),
                (false, _) if find.none == OTHER => view! { "This does not look like a key of this Latchkey, and it is no key that was imported into this organization. Check that you copied it completely."{import} }.into_any(),
                (false, _) if !find.finds_all => view! { "None of the keys that you created has this secret. Check that you copied it completely. "<AskOwner to="find it among all keys"/> }.into_any(),
                (false, _) => view! { "No key of this organization has this secret. Check that you copied it completely."{import} }.into_any(),
                (true, Some(href)) => view! { "This is a service token and not a key. If it is one of this organization, revoke it under "<a href=href>"Service tokens"</a>"." }.into_any(),
                (true, None) => view! { "This is a service token and not a key. If it is one of this organization, an owner can revoke it." }.into_any(),
            };
            view! {
                <div class="notice warn" role="status" tabindex="-1" autofocus>
                    <Icon symbol=Symbol::Alert/>
                    <p>{words}</p>
                </div>
            }
        });
        let token = find.token.map(|token| view! { <TokenNotice token/> });
        let is_answered = is_none || token.is_some();
        let lead = match find.finds_all {
            true => {
                "Paste a key that you found in a log, a repository or a page, to see which one it is."
            }
            false => {
                "Paste a key that you found in a log, a repository or a page, to see whether you created it."
            }
        };
        let (action, above) = (
            format!("{keys}/find"),
            vec![(keys.clone(), "Keys".to_owned())],
        );
        view! {
            <Breadcrumbs above here="Find by secret".to_owned()/>
            <PageHead title="Find by secret" lead=lead.into_any()/>
            <div class="stack">
                {none}
                {token}
                <section class="card" aria-label="Find by secret">
                    <form novalidate=true class="form body" method="post" action=action autocomplete="off">
                        <FormError errors consequence="Nothing was looked up."/>
                        <div class="field">
                            <label for="secret">"Secret"</label>
                            <p class="hint" id="secret-hint">
                                "The whole key, also a replaced or revoked one, or its SHA-256. It is not stored, and it is never in a URL or a log. The audit log records only that you searched."
                            </p>
                            <textarea class="input mono" id="secret" name="secret" rows="3" required maxlength=MAX_TEXT
                                autocomplete="off" autocapitalize="off" spellcheck="false" autofocus=!is_answered
                                aria-invalid=invalid_text(sentences) aria-describedby=described_by("secret", true, sentences)></textarea>
                            <ErrorTexts field="secret" errors/>
                        </div>
                        <div class="actions">
                            <button class="btn primary">"Find key"</button>
                            <a class="btn" href=keys>"Cancel"</a>
                        </div>
                    </form>
                </section>
            </div>
        }
    })
}

/// Which service token has the secret, and what to do.
#[component]
fn TokenNotice(token: FoundToken) -> impl IntoView {
    let used = match token.last_used {
        Some(text) => view! { "last used "<Time text/> }.into_any(),
        None => "never used".into_any(),
    };
    let advice = match (token.works, token.revoke.is_some()) {
        (false, _) => "",
        (true, true) => {
            " If it has leaked, create another token for what uses it, and revoke this one."
        }
        (true, false) => " If it has leaked, an owner can revoke it.",
    };
    let actions = token.revoke.map(
        |href| view! { <div class="actions"><a class="btn danger" href=href>"Revoke…"</a></div> },
    );
    view! {
        <div class="notice info" role="status" tabindex="-1" autofocus>
            <Icon symbol=Symbol::Info/>
            <div>
                <p><b>"This is the service token “"{token.name}"”."</b>" "{token.status}", "{used}"."{advice}</p>
                {actions}
            </div>
        </div>
    }
}
