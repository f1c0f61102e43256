//! What the admin found when they reviewed the team's keys, and what the owner did about it: a key that is kept, and
//! requests that are open, promised, answered and done.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, Operator, Org, Permit, Permitted},
    caller::{Person, Visit},
    findings::{Code, of_keys},
    id::{KeyId, ReviewId, UserId},
    keys::{
        change_state::disable,
        list::{KeyQuery, SortBy, list},
    },
    members,
    reviews::{self, Aspect, Created, NewReview, ReviewFilter, Verdict},
    role::Role,
};

use super::{
    error::{DemoError, failed},
    period::{Period, set},
    store::Coming,
};

/// The most keys that are looked at.
const LOOKED_AT: u16 = 50;

/// Reviews some of the team's keys in the last days of the period. Each reviewer sees the use until then, which is stored
/// meanwhile. The clock is at the end of the period afterwards.
pub async fn create(
    engine: &Arc<Engine>,
    org: &Org,
    period: Period,
    coming: &mut Coming<'_>,
) -> Result<(), DemoError> {
    let (Some(admin), Some(owner)) = (
        person(engine, org, Role::Admin).await?,
        person(engine, org, Role::Owner).await?,
    ) else {
        return Ok(());
    };
    let mut taken = Vec::new();
    // Returns the most urgent key of those days ago that fits.
    let mut key_of = async |days: f64, is: fn(&[Code]) -> bool| {
        // Sums of use are stored as of the end of the period.
        set(engine.clock(), period.now);
        coming.store_before(engine, period.days_ago(days)).await?;
        set(engine.clock(), period.days_ago(days));
        let mut found = found(engine, org).await?.into_iter();
        let key = found.find(|(id, codes)| is(codes) && !taken.contains(id));
        let key = key.map(|(id, _)| id);
        taken.extend(key);
        Ok::<_, DemoError>(key)
    };
    let review =
        async |key, verdict, comment| review(engine, org, admin, key, verdict, comment).await;
    let is_unused = |codes: &[Code]| {
        [Code::NeverUsed, Code::Unused90d]
            .iter()
            .any(|code| codes.contains(code))
    };
    let is_not_leaked = |codes: &[Code]| !codes.contains(&Code::SeenInBrowser);
    if let Some(key) = key_of(6.1, is_unused).await? {
        let comment = "Nobody on the team knows what this is for.";
        review(key, Verdict::Revoke, comment).await?;
        set(engine.clock(), period.days_ago(5.2));
        let done = disable(engine, &permit(engine, org, owner).await?, key).await;
        done.map_err(failed("a key was not disabled"))?;
    }
    if let Some(key) = key_of(4.1, is_not_leaked).await? {
        let comment = "Used once a quarter. The team checks it after each run.";
        review(key, Verdict::Keep, comment).await?;
    }
    if let Some(key) = key_of(4.0, is_not_leaked).await? {
        let asked = review(
            key,
            Verdict::Rotate,
            "A contractor who left may have a copy.",
        )
        .await?;
        set(engine.clock(), period.days_ago(3.3));
        let text = "We rotate it with the next release.".parse();
        let text = text.map_err(failed("an answer is invalid"))?;
        let permit = permit(engine, org, owner).await?;
        let promised = reviews::promise(engine, &permit, asked, text).await;
        promised.map_err(failed("nothing was promised"))?;
    }
    if let Some(key) = key_of(3.0, |codes| codes.contains(&Code::NoExpiry)).await? {
        let asked = review(key, Verdict::Narrow, "It should not work for ever.").await?;
        set(engine.clock(), period.days_ago(2.4));
        let text = "It is replaced in January, and then revoked.".parse();
        let text = text.map_err(failed("an answer is invalid"))?;
        let permit = permit(engine, org, owner).await?;
        let answered = reviews::answer(engine, &permit, asked, text).await;
        answered.map_err(failed("a review was not answered"))?;
    }
    if let Some(key) = key_of(1.2, |_| true).await? {
        review(key, Verdict::Rotate, "Please do this first.").await?;
    }
    set(engine.clock(), period.now);
    Ok(())
}

/// The keys with findings, the most urgent first, and their codes.
async fn found(engine: &Engine, org: &Org) -> Result<Vec<(KeyId, Vec<Code>)>, DemoError> {
    let operator = Operator::at_the_command_line();
    let query = KeyQuery {
        review: Some(ReviewFilter::default()),
        sort: SortBy::Severity,
        descending: true,
        page_size: LOOKED_AT,
        ..KeyQuery::default()
    };
    let unread = "the keys could not be read";
    let page = list(engine, &operator.permit(org), &query).await;
    let ids: Vec<KeyId> = page
        .map_err(failed(unread))?
        .keys
        .iter()
        .map(|key| key.id)
        .collect();
    let found = of_keys(engine, &operator.permit(org), &operator.permit(org), &ids).await;
    let found = found.map_err(failed(unread))?.into_iter();
    let codes = found.map(|key| {
        (
            key.id,
            key.findings.iter().map(|finding| finding.code).collect(),
        )
    });
    Ok(codes.collect())
}

async fn review(
    engine: &Engine,
    org: &Org,
    by: UserId,
    key: KeyId,
    verdict: Verdict,
    comment: &str,
) -> Result<ReviewId, DemoError> {
    let new = NewReview {
        verdict,
        aspect: (verdict == Verdict::Narrow).then_some(Aspect::Expiry),
        comment: comment.parse().map_err(failed("a comment is invalid"))?,
        until: None,
        seen: None,
        seen_requests: None,
        creation_token: None,
    };
    let (reviewing, details, usage) = (
        permit(engine, org, by).await?,
        permit(engine, org, by).await?,
        permit(engine, org, by).await?,
    );
    let created = reviews::create(engine, &reviewing, &details, &usage, key, new).await;
    let created = created.map_err(failed("a key was not reviewed"))?;
    let (Created::Now(id) | Created::Before(id)) = created;
    Ok(id)
}

/// The first person of the team with this role.
async fn person(engine: &Engine, org: &Org, role: Role) -> Result<Option<UserId>, DemoError> {
    let members = members::list(engine, &Operator::at_the_command_line().permit(org)).await;
    let members = members.map_err(failed("the members could not be read"))?;
    let person = members.iter().find(|member| member.role == role);
    Ok(person.map(|member| member.user_id))
}

/// A permit of a person, as on a page.
async fn permit<A: Permitted>(
    engine: &Engine,
    org: &Org,
    user_id: UserId,
) -> Result<Permit<A>, DemoError> {
    let visit = Visit::default();
    let membership = Membership::find(engine, Person { user_id, visit }, &org.slug).await;
    let membership = membership.map_err(failed("a person was not found"))?;
    membership
        .permit()
        .map_err(failed("a person has no permit"))
}
