//! Number formatting. It uses integer arithmetic only, so that server and browser produce the same digits.

/// Formats with thousands separators: "184,220".
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats with few characters, for an axis: "950", "1.5k", "20M".
pub fn compact(number: i64) -> String {
    let (unit, suffix) = match number.abs() {
        ..1_000 => return number.to_string(),
        1_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "B"),
    };
    let tenths = (number.abs() % unit) * 10 / unit;
    match tenths {
        0 => format!("{}{suffix}", number / unit),
        _ => format!("{}.{tenths}{suffix}", number / unit),
    }
}

/// The rounded share of `part` in `whole`, in thousandths; 0 if `whole` is 0.
pub fn thousandths(part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let rounded = (part * 2_000 + whole * part.signum() * whole.signum()) / (whole * 2);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// Formats thousandths as a percentage: "3.4%".
pub fn per_cent(thousandths: i64) -> String {
    format!("{}%", tenths(thousandths))
}

/// Formats tenths with a sign, also for positive numbers: "+8.2", "−0.5", "0".
pub fn signed_tenths(number: i64) -> String {
    match number {
        0 => "0".to_owned(),
        1.. => format!("+{}", tenths(number)),
        _ => format!("−{}", tenths(-number)),
    }
}

/// Formats tenths. The decimal is omitted if it is 0, and from 100 on, where it does not matter.
fn tenths(number: i64) -> String {
    match (number / 10, number.abs() % 10) {
        (whole, 0) => grouped(whole),
        (whole, _) if whole.abs() >= 100 => grouped(whole),
        (whole, tenth) => format!("{}.{tenth}", grouped(whole)),
    }
}

/// "1 key", "1,200 keys".
pub fn counted(number: i64, one: &str, several: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {several}", grouped(number)),
    }
}

/// How much something usually is, beside what it was on one day.
pub fn usually(most: i64) -> String {
    match most {
        0 => "usually none".to_owned(),
        most => format!("usually at most {} a day", grouped(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let texts: Vec<String> = [0, 7, 999, 1_000, 184_220, -1_234_567]
            .into_iter()
            .map(grouped)
            .collect();
        assert_eq!(texts, ["0", "7", "999", "1,000", "184,220", "−1,234,567"]);
        assert_eq!(grouped(i64::MIN), "−9,223,372,036,854,775,808");
    }

    #[test]
    fn an_axis_has_room_for_few_characters() {
        let texts: Vec<String> = [0, 950, 1_500, 20_000, 2_500_000, 3_000_000_000]
            .into_iter()
            .map(compact)
            .collect();
        assert_eq!(texts, ["0", "950", "1.5k", "20k", "2.5M", "3B"]);
    }

    #[test]
    fn shares_are_rounded_and_nothing_of_nothing_is_nothing() {
        assert_eq!(thousandths(1, 3), 333);
        assert_eq!(thousandths(2, 3), 667);
        assert_eq!(thousandths(-2, 3), -667);
        assert_eq!(thousandths(5, 0), 0);
        assert_eq!(per_cent(thousandths(34, 1_000)), "3.4%");
        assert_eq!(per_cent(1_000), "100%");
    }

    #[test]
    fn a_change_has_a_sign() {
        let texts: Vec<String> = [82, -5, 0, 12_345].into_iter().map(signed_tenths).collect();
        assert_eq!(texts, ["+8.2", "−0.5", "0", "+1,234"]);
    }
}
