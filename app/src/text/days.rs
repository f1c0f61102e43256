//! Durations in days, for forms and tags.

/// "30 days", "1 year".
pub fn days_text(days: u32) -> String {
    match days {
        1 => "1 day".to_owned(),
        365 => "1 year".to_owned(),
        days if days.is_multiple_of(365) => format!("{} years", days / 365),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_365_days() {
        assert_eq!(
            [1, 30, 365, 730].map(days_text),
            ["1 day", "30 days", "1 year", "2 years"]
        );
    }
}
