//! The geometry of a chart: axis marks, paths, and which labels fit.

use std::fmt::Write;

/// The marks of an axis from 0 to a round number that is at least `most`, highest first: 15k, 10k, 5k, 0.
pub fn axis(most: i64) -> Vec<i64> {
    let step = step_for(most.max(1));
    let marks = most.max(1).div_euclid(step) + i64::from(most.max(1).rem_euclid(step) > 0);
    (0..=marks)
        .rev()
        .map(|mark| mark.saturating_mul(step))
        .collect()
}

/// The smallest step of the form 1, 2 or 5 times a power of ten that reaches `most` in at most four steps.
fn step_for(most: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for step in [1, 2, 5].map(|leading| power.saturating_mul(leading)) {
            if most <= step.saturating_mul(4) {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// An SVG path through `values`, one unit apart from `first`, with y measured down from `top`.
pub fn line(values: &[i64], first: usize, top: i64) -> String {
    let mut path = String::new();
    for (place, value) in values.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(
            path,
            "{}{},{}",
            if place == 0 { "M" } else { " L" },
            first + place,
            top - value
        );
    }
    path
}

/// A closed SVG path along the upper values and back along the lower ones.
pub fn area(lower: &[i64], upper: &[i64], top: i64) -> String {
    let mut path = line(upper, 0, top);
    for (x, value) in lower.iter().enumerate().rev() {
        let _ = write!(path, " L{x},{}", top - value);
    }
    path.push('Z');
    path
}

/// Decides which of `steps` labels are shown, and which of those only in wide windows. The last one is always shown: it is the
/// one under way, where people look first.
pub fn labelled(steps: usize) -> impl Fn(usize) -> Option<Room> {
    let every = match steps {
        ..=8 => 1,
        9..=12 => 2,
        13..=24 => 4,
        _ => steps.div_ceil(5),
    };
    move |step| {
        let from_end = steps.checked_sub(step + 1)?;
        let label = from_end / every;
        (from_end.is_multiple_of(every)).then_some(if label.is_multiple_of(2) {
            Room::Everywhere
        } else {
            Room::InWideWindows
        })
    }
}

/// The window widths in which a label is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Everywhere,
    /// Hidden on phones.
    InWideWindows,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_just_above_the_most() {
        assert_eq!(axis(12_345), [15_000, 10_000, 5_000, 0]);
        assert_eq!(axis(15_000), [15_000, 10_000, 5_000, 0]);
        assert_eq!(axis(0), [1, 0]);
        assert_eq!(axis(3), [3, 2, 1, 0]);
        assert_eq!(axis(7), [8, 6, 4, 2, 0]);
        assert_eq!(axis(81), [100, 50, 0]);
    }

    #[test]
    fn an_axis_covers_any_most_in_at_most_four_steps() {
        for most in (0..5_000).chain([i64::MAX / 1_000, i64::MAX]) {
            let marks = axis(most);
            assert!(
                marks[0] >= most && (2..=5).contains(&marks.len()),
                "{most}: {marks:?}"
            );
        }
    }

    #[test]
    fn an_area_goes_along_the_upper_values_and_back_along_the_lower_ones() {
        assert_eq!(line(&[1, 3], 0, 4), "M0,3 L1,1");
        assert_eq!(line(&[1, 3], 5, 4), "M5,3 L6,1");
        assert_eq!(area(&[0, 1], &[1, 3], 4), "M0,3 L1,1 L1,3 L0,4Z");
    }

    #[test]
    fn labels_are_few_with_the_last_and_every_other_one_waits_for_room() {
        let shown = |steps: usize| -> Vec<usize> {
            (0..steps)
                .filter(|&step| labelled(steps)(step).is_some())
                .collect()
        };
        assert_eq!(shown(30), [5, 11, 17, 23, 29]);
        assert_eq!(shown(24), [3, 7, 11, 15, 19, 23]);
        assert_eq!(shown(7).len(), 7);
        assert_eq!(labelled(30)(23), Some(Room::InWideWindows));
        assert_eq!(labelled(30)(29), Some(Room::Everywhere));
        assert_eq!(labelled(0)(0), None);
    }
}
