//! From the fields to a key.

use jiff::{civil::Date, tz::TimeZone};
use latchkey::{
    Engine,
    access::{AccessError, Membership, Permit, to},
    convention::{KeyHeader, Scope},
    domain::{DomainPattern, parse_list},
    id::{ProjectId, UserId},
    ip_range::{self, IpRange},
    key::{Environment, Kind},
    keys::{
        create::{CreateKeyError, CreatedKey, NewKey, create},
        rules::UnfitField,
    },
    name::{KeyName, Slug},
    time::{DAY, Timestamp},
};

use super::{FieldSentence, MadeKey, NewKeyAnswer, NewKeyForm, ShownOnce};
use crate::time_text::date;

/// Makes a key from what `user_id` sent for `org`, a slug.
pub async fn submit(engine: &Engine, user_id: UserId, org: &str, form: NewKeyForm) -> NewKeyAnswer {
    let permit = match permit(engine, user_id, org).await {
        Ok(permit) => permit,
        Err(AccessError::NotFound) => return NewKeyAnswer::NotFound,
        Err(AccessError::Forbidden(_)) => return NewKeyAnswer::Forbidden,
        Err(AccessError::Storage(error)) => return unavailable(&error),
    };
    let new = match read(&form, engine.clock().now()) {
        Ok(new) => new,
        Err(errors) => {
            return NewKeyAnswer::Refused {
                values: form,
                errors,
            };
        }
    };
    let refused = |field: &str, error: CreateKeyError| NewKeyAnswer::Refused {
        values: form.clone(),
        errors: vec![sentence(field, error)],
    };
    match create(engine, &permit, new.clone()).await {
        Ok(created) => NewKeyAnswer::Made(made(engine, org, &new, &created)),
        Err(CreateKeyError::AlreadyMade(id)) => NewKeyAnswer::AlreadyMade {
            path: format!("/orgs/{org}/keys/{id}"),
        },
        Err(error @ CreateKeyError::NotOffered(..)) => refused("environment", error),
        Err(CreateKeyError::Unfit(error)) => {
            // The form has one choice of expiry where the API has two fields.
            let field = match error.field() {
                "expires_at" => "expires",
                field => field,
            };
            refused(field, error.into())
        }
        Err(error @ (CreateKeyError::Randomness(_) | CreateKeyError::Storage(_))) => {
            unavailable(&error)
        }
    }
}

async fn permit(
    engine: &Engine,
    user_id: UserId,
    org: &str,
) -> Result<Permit<to::MakeKeys>, AccessError> {
    // What cannot be a slug names no org.
    let slug: Slug = org.parse().map_err(|_| AccessError::NotFound)?;
    Membership::find(engine, user_id, &slug).await?.permit()
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> NewKeyAnswer {
    tracing::error!(error, "a key was not made");
    NewKeyAnswer::Unavailable
}

fn made(engine: &Engine, org: &str, new: &NewKey, created: &CreatedKey) -> MadeKey {
    let convention = engine.convention();
    MadeKey {
        key: ShownOnce::new(&created.plain),
        name: new.name.to_string(),
        kind: new.kind,
        environment: new.environment,
        domains: new.domains.iter().map(ToString::to_string).collect(),
        expires: new.expires_at.map(date),
        path: format!("/orgs/{org}/keys/{}", created.id),
        variable: convention
            .environment_variable(new.kind, new.environment)
            .to_owned(),
        header: match convention.accepted_in.first() {
            Some(KeyHeader::Named(name)) => Some(name.clone()),
            Some(KeyHeader::Bearer) | None => None,
        },
    }
}

/// What was wrong with the fields, gathered so that all is said at once.
#[derive(Default)]
struct Errors(Vec<FieldSentence>);

impl Errors {
    fn take<T, E: std::fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| self.0.push(sentence(field, error)))
            .ok()
    }
}

fn sentence(field: &str, sentence: impl std::fmt::Display) -> FieldSentence {
    FieldSentence {
        field: field.to_owned(),
        sentence: sentence.to_string(),
    }
}

/// Reads the fields. What needs the convention or the database is left to [`create`].
pub(super) fn read(form: &NewKeyForm, now: Timestamp) -> Result<NewKey, Vec<FieldSentence>> {
    let mut errors = Errors::default();
    let name = errors.take("name", form.name.parse::<KeyName>());
    let kind = errors.take("kind", form.kind.parse::<Kind>());
    let environment = errors.take("environment", form.environment.parse::<Environment>());
    let domains = if kind == Some(Kind::Widget) {
        domains(&form.domains, &mut errors)
    } else {
        Vec::new()
    };
    let ip_ranges = ip_ranges(&form.ip_ranges, &mut errors);
    let scopes: Option<Vec<Scope>> = errors.take(
        "scopes",
        form.scopes
            .iter()
            .map(|scope| scope.parse::<Scope>())
            .collect::<Result<_, _>>(),
    );
    let expires_at = errors.take("expires", expiry(form, now));
    let project = match form.project.as_str() {
        "" => None,
        // What cannot be an id names no project.
        id => errors.take(
            "project",
            id.parse::<ProjectId>()
                .map_err(|_| UnfitField::NoSuchProject),
        ),
    };
    match (name, kind, environment, scopes, expires_at) {
        (Some(name), Some(kind), Some(environment), Some(scopes), Some(expires_at))
            if errors.0.is_empty() =>
        {
            Ok(NewKey {
                name,
                kind,
                environment,
                project,
                scopes,
                domains,
                ip_ranges,
                expires_at,
                // Browsers send line ends as CR LF.
                metadata: Default::default(),
                notes: form.notes.trim().replace("\r\n", "\n"),
                creation_token: Some(form.creation_token.clone()).filter(|token| !token.is_empty()),
            })
        }
        _ => Err(errors.0),
    }
}

fn domains(text: &str, errors: &mut Errors) -> Vec<DomainPattern> {
    let list = parse_list(text);
    if list.patterns.is_empty() && list.refused.is_empty() {
        errors
            .0
            .push(sentence("domains", UnfitField::DomainsNeeded));
    }
    errors.0.extend(
        list.refused
            .iter()
            .map(|refused| sentence("domains", &refused.error)),
    );
    list.patterns
}

fn ip_ranges(text: &str, errors: &mut Errors) -> Vec<IpRange> {
    let list = ip_range::parse_list(text);
    errors.0.extend(
        list.refused
            .iter()
            .map(|refused| sentence("ip_ranges", &refused.error)),
    );
    list.ranges
}

/// When the key ends; `Ok(None)` for never.
fn expiry(form: &NewKeyForm, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    const LONGEST_DAYS: i64 = 36_500;
    match form.expires.as_str() {
        "never" => Ok(None),
        "date" => end_of_day(&form.expires_on)
            .map(Some)
            .ok_or("Choose the last day on which the key works."),
        days => match days.parse::<i64>() {
            Ok(days @ 1..=LONGEST_DAYS) => Ok(Some(now.plus(days * DAY))),
            _ => Err("Choose when the key expires."),
        },
    }
}

/// The last millisecond of a day in UTC.
fn end_of_day(text: &str) -> Option<Timestamp> {
    let midnight = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp::from_millis(
        midnight.timestamp().as_millisecond() + DAY - 1,
    ))
}
