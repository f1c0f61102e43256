//! Reviews: what they store, what they ask of owners, and how that ends.

mod answers;
mod creating;
mod done;
mod listing;
mod together;
mod undone;

use latchkey::{
    access::{Membership, Permit, Permitted},
    caller::{Person, Visit},
    id::{KeyId, ReviewId, UserId},
    keys::{list::KeyQuery, rotate::Rotation},
    reviews::{
        self, AskState, Created, NewReview, Review, ReviewError, ReviewFilter, ReviewQuery,
        ReviewState, Verdict,
    },
};

use crate::test_app::{TestApp, TestOrg};

/// A rotation that ends the old secret.
const AT_ONCE: Rotation = Rotation {
    overlap: 0,
    token: None,
};

/// A review that has no date.
fn new(verdict: Verdict) -> NewReview {
    NewReview {
        verdict,
        aspect: None,
        comment: "Nobody knows it".parse().unwrap(),
        until: None,
        seen: None,
        seen_requests: None,
        creation_token: None,
    }
}

async fn permit<A: Permitted>(app: &TestApp, org: &TestOrg, user_id: UserId) -> Permit<A> {
    let person = Person {
        user_id,
        visit: Visit::default(),
    };
    let membership = Membership::find(&app.engine, person, &org.org.slug)
        .await
        .unwrap();
    membership.permit().unwrap()
}

async fn create(
    app: &TestApp,
    org: &TestOrg,
    by: UserId,
    key: KeyId,
    new: NewReview,
) -> Result<ReviewId, ReviewError> {
    let permit = permit(app, org, by).await;
    let created =
        reviews::create(&app.engine, &permit, &org.permit(), &org.permit(), key, new).await?;
    let (Created::Now(id) | Created::Before(id)) = created;
    Ok(id)
}

async fn find(app: &TestApp, org: &TestOrg, id: ReviewId) -> Review {
    reviews::find(&app.engine, &org.permit(), id)
        .await
        .unwrap()
        .unwrap()
}

async fn asked(app: &TestApp, org: &TestOrg) -> i64 {
    let query = ReviewQuery {
        asked: true,
        limit: 100,
        ..ReviewQuery::default()
    };
    let page = reviews::list(&app.engine, &org.permit(), &query)
        .await
        .unwrap();
    let count = reviews::count_asked(&app.engine, &org.permit())
        .await
        .unwrap();
    assert_eq!(page.reviews.len() as i64, count);
    assert!(
        page.reviews
            .iter()
            .all(|review| review.ask(app.clock.now()) == Some(AskState::Open))
    );
    count
}

/// How many keys are to be reviewed, are asked about, and are reviewed.
async fn states(org: &TestOrg) -> [usize; 3] {
    let mut counts = [0; 3];
    for (count, state) in
        counts
            .iter_mut()
            .zip([ReviewState::Open, ReviewState::Asked, ReviewState::Reviewed])
    {
        let review = Some(ReviewFilter {
            state: Some(state),
            ..ReviewFilter::default()
        });
        *count = org
            .names(KeyQuery {
                review,
                ..KeyQuery::default()
            })
            .await
            .len();
    }
    counts
}
