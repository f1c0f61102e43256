//! Which requests to the owners are open, as an SQL condition on `reviews`.

/// Whether a review asks the owners for something that is still open at the time `now`, a placeholder or number. What is done
/// later than now is done by then: a secret that leaked ends with the overlap of its rotation.
pub(crate) fn is_open(now: &str) -> String {
    format!(
        "reviews.verdict <> 'keep' AND reviews.superseded_at IS NULL AND COALESCE(reviews.done_at > {now}, TRUE) \
         AND reviews.answered_at IS NULL"
    )
}
