//! How much one page of a list holds.

/// The most bytes that a page's rows take up where they are stored. A row can be a hundred thousand times as large as
/// another, so that a page of so many rows alone has no size.
pub const MAX_PAGE_BYTES: i64 = 1024 * 1024;

/// How many rows fit on a page that begins with the first of them, by their sizes. One always does.
pub(crate) fn fitting(sizes: impl IntoIterator<Item = i64>) -> usize {
    let mut sum = 0_i64;
    let sizes = sizes.into_iter().take_while(|size| {
        sum = sum.saturating_add(*size);
        sum <= MAX_PAGE_BYTES
    });
    sizes.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_the_row_that_is_too_much() {
        assert_eq!(fitting([MAX_PAGE_BYTES, 0, 1, 0]), 2);
        assert_eq!(fitting([MAX_PAGE_BYTES + 1, 1]), 1);
        assert_eq!(fitting([1, MAX_PAGE_BYTES]), 1);
        assert_eq!(fitting([1, 2, 3]), 3);
        assert_eq!(fitting([i64::MAX, i64::MAX]), 1);
    }
}
