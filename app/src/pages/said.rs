//! The message of the form that led to a page, with the name of its key and a way back.

use latchkey::{
    access::{Membership, to},
    audit::{self, AuditQuery, EventFilter},
    event::{Event, Target},
    id::{KeyId, UserId},
    keys::{
        change_state::MOST_AT_ONCE,
        list::{self, KeyQuery},
        show,
    },
    members,
    reviews::{self, Verdict},
    role::Action,
    time::Timestamp,
};
use serde_json::Value;

use super::{
    agents::said as agent_said,
    audit::last_own_edit,
    done::{Done, Notice},
    keys::{keys_path, show::extension},
};
use crate::{
    error::AppError,
    request::PageRequest,
    text::{time::date, words::role_noun},
    values::said::{Said, UndoForm},
};

/// The message. Without a session, or if the key is not one of the page's organization, it names no key.
pub async fn said(request: PageRequest, notice: Notice) -> Result<Said, AppError> {
    if let Some(person) = notice.person {
        let name = name_of(&request, notice.done, person).await?;
        let link = match notice.done {
            Done::MemberRemoved => keys_of(&request, person).await?,
            _ => None,
        };
        return Ok(Said {
            text: name.map_or_else(
                || notice.done.sentence(),
                |name| notice.done.sentence_about(&name),
            ),
            undo: None,
            link,
        });
    }
    if notice.done == Done::OrgJoined {
        let membership = request.membership().await?;
        let role = role_noun(membership.rights().role);
        return Ok(format!("You joined {} as {role}.", membership.org().name).into());
    }
    if let Some(agent) = notice.agent {
        return agent_said(&request, notice.done, agent).await;
    }
    let Some(id) = notice.key else {
        let undo = match notice.done {
            Done::KeysDisabled(count) => enable_again(&request, count).await?,
            _ => None,
        };
        return Ok(Said {
            text: notice.done.sentence(),
            undo,
            link: None,
        });
    };
    let membership = request.membership().await?;
    let engine = request.engine();
    let key = show::summary(engine, &membership.permit()?, id)
        .await?
        .ok_or(AppError::NotFound)?;
    let name = key.name.as_str();
    let action = format!("/orgs/{}/keys/{id}", membership.org().slug);
    let may = |action| membership.may(action);
    let undoable = |undo| Said {
        text: notice.done.sentence_about(name),
        undo,
        link: None,
    };
    Ok(match notice.done {
        Done::KeyReviewed => kept(&request, &membership, id, name).await?.into(),
        Done::KeyDisabled if may(Action::DisableKeys) => {
            let since = key.lifecycle.disabled_at;
            undoable(
                since.map(|since| match request.path() == keys_path(&request) {
                    // The place in the list is kept.
                    true => enabling(request.address(), &[id], since),
                    false => enabling(action, &[], since),
                }),
            )
        }
        Done::KeyExtended if may(Action::EditKeys) => {
            let extended = extension(&request, &membership, id).await?;
            undoable(extended.map(|_| UndoForm {
                action,
                fields: vec![("change".to_owned(), "undo-extend".to_owned())],
            }))
        }
        Done::DomainRemoved if may(Action::EditDomains) => {
            match removed(&request, &membership, id).await? {
                Some((domain, next)) => Said {
                    text: format!("{domain} removed from “{name}”."),
                    undo: Some(UndoForm {
                        action,
                        fields: vec![("add".to_owned(), domain), ("before".to_owned(), next)],
                    }),
                    link: None,
                },
                None => notice.done.sentence_about(name).into(),
            }
        }
        done => done.sentence_about(name).into(),
    })
}

/// Says until when a key is kept, and that it ends before if it does.
async fn kept(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
    name: &str,
) -> Result<String, AppError> {
    let Some(permit) = membership.permit_if_allowed::<to::SeeKeyDetails>() else {
        return Ok(Done::KeyReviewed.sentence_about(name));
    };
    let mut current = reviews::current(request.engine(), &permit, &[id]).await?;
    let reviews = current.remove(&id).unwrap_or_default();
    let kept = reviews
        .into_iter()
        .find(|review| review.verdict == Verdict::Keep);
    let until = kept
        .as_ref()
        .and_then(|review| Some((review.until?, review.key.lifecycle.expires_at)));
    Ok(match until {
        Some((until, Some(end))) if end <= until => {
            format!("“{name}” is kept until it expires on {}.", date(end))
        }
        Some((until, _)) => format!("“{name}” is kept until {}.", date(until)),
        None => Done::KeyReviewed.sentence_about(name),
    })
}

/// The link to the keys that someone created, whose secrets they know.
async fn keys_of(
    request: &PageRequest,
    person: UserId,
) -> Result<Option<(String, String)>, AppError> {
    let membership = request.membership().await?;
    let query = KeyQuery {
        creator: Some(person),
        ..KeyQuery::default()
    };
    let keys = list::count(request.engine(), &membership.permit()?, &query).await?;
    let href = format!("/orgs/{}/keys?creator={person}", membership.org().slug);
    Ok((keys > 0).then(|| (href, "View their keys".to_owned())))
}

/// The form that enables the keys that the user has just disabled together. They are read from the audit log and not sent
/// with the message, so that nobody can make a page offer to enable other keys.
async fn enable_again(request: &PageRequest, count: u32) -> Result<Option<UndoForm>, AppError> {
    let membership = request.membership().await?;
    let may = |action| membership.may(action);
    let limit = u16::try_from(count).unwrap_or(u16::MAX);
    if !may(Action::DisableKeys) || !may(Action::SeeAuditLog) || usize::from(limit) > MOST_AT_ONCE {
        return Ok(None);
    }
    let query = AuditQuery {
        event: Some(EventFilter::Is(Event::KeyDisabled)),
        actor: Some(request.user_id().await?.to_string()),
        limit,
        ..AuditQuery::default()
    };
    let page = audit::list(request.engine(), &membership.permit()?, &query).await?;
    let together = page.entries.iter().take_while(|entry| {
        let first = page.entries.first();
        first.is_some_and(|first| (first.at, &first.request_id) == (entry.at, &entry.request_id))
    });
    let ids: Vec<KeyId> = together
        .filter_map(|entry| entry.target.as_ref()?.id.as_ref()?.parse().ok())
        .collect();
    let Some(first) = ids.first().filter(|_| ids.len() == usize::from(limit)) else {
        return Ok(None);
    };
    // All were disabled at the same time.
    let known = list::names_of(request.engine(), &membership.permit()?, &[*first]).await?;
    let since = known.first().and_then(|key| key.lifecycle.disabled_at);
    Ok(since.map(|since| enabling(request.address(), &ids, since)))
}

/// The form that enables keys again that were disabled at this time: those in a list, or without any the one of the page.
fn enabling(action: String, keys: &[KeyId], since: Timestamp) -> UndoForm {
    let fields = keys.iter().map(|id| ("keys", id.to_string()));
    let rest = [
        ("since", since.as_millis().to_string()),
        ("answered", "yes".to_owned()),
        ("change", "enable".to_owned()),
    ];
    UndoForm {
        action,
        fields: fields
            .chain(rest)
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// The name of a member, or of someone whom the user has just removed. That is read from the audit log, so that nobody
/// can make a page show the name of any account.
async fn name_of(
    request: &PageRequest,
    done: Done,
    person: UserId,
) -> Result<Option<String>, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    if done != Done::MemberRemoved {
        let member = members::find(engine, &membership.permit()?, person).await?;
        return Ok(member.map(|member| member.name.to_string()));
    }
    if !membership.may(Action::SeeAuditLog) {
        return Ok(None);
    }
    let query = AuditQuery {
        event: Some(EventFilter::Is(Event::MemberRemoved)),
        actor: Some(request.user_id().await?.to_string()),
        limit: 1,
        ..AuditQuery::default()
    };
    let page = audit::list(engine, &membership.permit()?, &query).await?;
    let target = page
        .entries
        .into_iter()
        .next()
        .and_then(|entry| entry.target);
    let target = target.filter(|target| target.id == Some(person.to_string()));
    Ok(target.and_then(|target| target.name))
}

/// The domain that the user removed with the last change of a key, and the domain that followed it; empty for none. It
/// is read from the audit log and not sent with the message, so that nobody can make a page offer to add a domain of
/// their own.
async fn removed(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<Option<(String, String)>, AppError> {
    let last = last_own_edit(request, membership, Target::Key(id)).await?;
    let Some(change) = last.as_ref().and_then(|entry| entry.changes.get("domains")) else {
        return Ok(None);
    };
    let texts = |side: &str| -> Vec<&str> {
        let list = change.get(side).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let (before, after) = (texts("from"), texts("to"));
    let place = before.iter().position(|domain| !after.contains(domain));
    Ok(place.map(|place| {
        let next = before.get(place + 1).copied().unwrap_or_default();
        (before[place].to_owned(), next.to_owned())
    }))
}
