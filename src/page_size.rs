//! The size limit of list pages.

/// The maximum stored size of a page's rows in bytes. Rows can differ in size by a factor of a hundred thousand, so a
/// limit on the number of rows alone does not bound a page.
pub const MAX_PAGE_BYTES: i64 = 1024 * 1024;

/// Returns the number of rows that fit on a page, given their sizes in order. Always at least one.
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
