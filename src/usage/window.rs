//! The time that a report covers, and the time that it is compared with.

use jiff::ToSpan;

use crate::time::{DAY, HOUR, MINUTE, Timestamp, Zone};

use super::{
    count::{Before, Part, Piece, pieces},
    kept::Kept,
    question::{InvalidParameter, Period, Question, StepLength},
    range::Range,
    resolution::{DAYS, HOURS, MINUTES, Resolution},
};

/// The maximum number of steps of a report.
pub const MAX_STEPS: usize = 400;

/// The period of a question at a given time.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) step: StepLength,
    /// The zone in which the steps are cut: that of the question, or UTC for months and for days that are older than
    /// the counts by the hour.
    pub(super) zone: Zone,
    /// The starts of the steps, and the end of the last one. Unless they are those of a step, the first and the last
    /// bound are full minutes, or hours or days as far as only these are kept.
    pub(super) bounds: Vec<Timestamp>,
    /// The time to compare with; `None` if its counts are not kept any more.
    pub(super) before: Option<Before>,
}

/// The start and the end of a standard range, and the time that it is compared with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standard {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) before_from: Timestamp,
    pub(super) before_to: Timestamp,
}

impl Standard {
    pub(super) fn new(range: Range, zone: &Zone, now: Timestamp) -> Self {
        let days = |count: i32| {
            let today = zone.day_of(now);
            let start = |days: i32| zone.start_of(today.saturating_add(days.days()));
            let from = start(1 - count);
            let passed = now.since(start(0));
            Self {
                from,
                to: start(1),
                before_from: start(1 - 2 * count),
                before_to: start(-count).plus(passed).min(from),
            }
        };
        match range {
            Range::Hours24 => {
                let to = now.floor(HOUR).plus(HOUR);
                Self {
                    from: to.plus(-DAY),
                    to,
                    before_from: to.plus(-2 * DAY),
                    before_to: now.plus(-DAY),
                }
            }
            Range::Days7 => days(7),
            Range::Days30 => days(30),
            Range::Months12 => {
                let start = |months| month_start(now, months);
                Self {
                    from: start(-11),
                    to: start(1),
                    before_from: start(-23),
                    before_to: a_year_before(now),
                }
            }
        }
    }
}

impl Standard {
    /// The time to compare with.
    pub(super) fn before(&self, now: Timestamp, kept: &Kept) -> Option<Before> {
        before(self.before_from, self.before_to, |at| finest(at, now, kept))
    }
}

impl Window {
    /// # Errors
    /// Which parameter of the question is invalid, and what it must be.
    pub(super) fn new(
        question: &Question,
        now: Timestamp,
        kept: &Kept,
    ) -> Result<Self, InvalidParameter> {
        let finest = |at| finest(at, now, kept);
        let resolve = |zone: &Zone| match question.period {
            Period::Range(range) => {
                let standard = Standard::new(range, zone, now);
                Ok((standard.from, standard.to))
            }
            Period::Between { from, to } => {
                // Without an end, the minute under way counts, also at its first instant.
                let (from, to) = (from.at(zone), to.map_or(now.plus(1), |to| to.at(zone)));
                if from >= now {
                    Err(invalid("from", "must be in the past"))
                } else if from >= to {
                    Err(invalid("to", "must be later than `from`"))
                } else {
                    Ok((from, to))
                }
            }
        };
        let (asked_from, _) = resolve(&question.zone)?;
        if finest(asked_from).is_none() {
            let first = now.plus(-DAY * i64::from(kept.days_for_days)).ceil(DAY);
            let first = first.utc().date();
            return Err(invalid(
                "from",
                format!("must be {first} or later. Older counts are not kept"),
            ));
        }
        let is_of_days = |at| finest(at) == Some(DAYS);
        let is_month = question.step == Some(StepLength::Month)
            || (question.step.is_none() && question.period == Period::Range(Range::Months12));
        let zone = match is_month || is_of_days(asked_from) {
            true => Zone::UTC,
            false => question.zone.clone(),
        };
        let (from, to) = resolve(&zone)?;
        let aligned = |at: Timestamp| finest(at).map_or(DAY, |resolution| resolution.width);
        let (from, to) = (from.floor(aligned(from)), to.ceil(aligned(to)));
        // Steps that have not begun have no requests, and would look like an outage: the step under way is the last.
        let until = |step| to.min(next(step, &zone, now));
        let (step, bounds) = match (question.step, question.period) {
            (Some(step), _) => {
                is_kept(step, finest(from), kept)?;
                let too_many = || {
                    let text = format!(
                        "gives more than {MAX_STEPS} steps. Choose a longer `step`, or less time"
                    );
                    invalid("step", text)
                };
                let bounds = bounds(step, &zone, from, until(step));
                (step, bounds.ok_or_else(too_many)?)
            }
            (None, Period::Range(range)) => {
                let step = match range {
                    Range::Hours24 => StepLength::Hour,
                    Range::Days7 | Range::Days30 => StepLength::Day,
                    Range::Months12 => StepLength::Month,
                };
                (step, bounds(step, &zone, from, to).unwrap_or_default())
            }
            (None, Period::Between { .. }) => {
                let fitting = |end: Timestamp| {
                    StepLength::ALL.iter().copied().find(|step| {
                        is_kept(*step, finest(from), kept).is_ok()
                            && bounds(*step, &zone, from, end).is_some()
                    })
                };
                // All of the time decides, so that a page does not change its steps while the time passes, unless most
                // of it is far away.
                let step = match fitting(to) {
                    Some(step) if step != StepLength::Month => step,
                    _ => fitting(to.min(now.plus(1))).unwrap_or(StepLength::Month),
                };
                let bounds = bounds(step, &zone, from, until(step));
                (
                    step,
                    bounds.ok_or_else(|| {
                        invalid(
                            "to",
                            format!("must be at most {MAX_STEPS} months after `from`"),
                        )
                    })?,
                )
            }
        };
        let to = bounds.last().copied().unwrap_or(to);
        // Months are in UTC, also if no shorter step fits.
        let zone = if step == StepLength::Month {
            Zone::UTC
        } else {
            zone
        };
        let (before_from, before_to) = match question.period {
            Period::Range(range) => {
                let standard = Standard::new(range, &zone, now);
                (standard.before_from, standard.before_to)
            }
            Period::Between { .. } => {
                let (length, passed) = (to.since(from), now.clamp(from, to).since(from));
                (from.plus(-length), from.plus(passed - length))
            }
        };
        Ok(Self {
            step,
            zone,
            bounds,
            before: before(before_from, before_to, finest),
        })
    }

    pub(super) fn start(&self) -> Timestamp {
        self.bounds.first().copied().unwrap_or(self.end())
    }

    pub(super) fn end(&self) -> Timestamp {
        let end = self.bounds.last().copied();
        end.unwrap_or(Timestamp::from_millis(0))
    }

    /// The parts of the period, each of them within one step.
    pub(super) fn by_step(&self) -> Vec<Piece> {
        let coarsest = match self.step {
            StepLength::Minute => MINUTES,
            StepLength::Hour => HOURS,
            StepLength::Day => self.of_days(),
            StepLength::Month => DAYS,
        };
        pieces(self.start(), self.end(), coarsest)
    }

    /// The starts of at most `count` whole days before the first day of the period, oldest first, and the end of the
    /// last of them. Days whose counts are not kept as this zone needs them are left out.
    pub(super) fn days_before(&self, count: usize, now: Timestamp, kept: &Kept) -> Vec<Timestamp> {
        let needed = self.of_days().width;
        let is_kept =
            |at: &Timestamp| finest(*at, now, kept).is_some_and(|finest| finest.width <= needed);
        let mut day = self.zone.day_of(self.start());
        let mut starts = vec![self.zone.start_of(day)];
        for _ in 0..count {
            day = day.saturating_sub(1.day());
            starts.push(self.zone.start_of(day));
        }
        starts.reverse();
        starts
            .into_iter()
            .skip_while(|start| !is_kept(start))
            .collect()
    }

    /// The resolution that days in this zone are sums of.
    pub(super) fn of_days(&self) -> Resolution {
        if self.zone.is_utc() { DAYS } else { HOURS }
    }

    /// The parts of the whole period.
    pub(super) fn whole(&self) -> Vec<Piece> {
        pieces(self.start(), self.end(), DAYS)
    }

    /// The index of the step that contains a time within the period.
    pub(super) fn step_of(&self, at: Timestamp) -> usize {
        self.bounds
            .partition_point(|bound| *bound <= at)
            .saturating_sub(1)
    }
}

/// The whole steps of a time, and the parts at its ends; `None` if its counts are not kept.
fn before(
    from: Timestamp,
    to: Timestamp,
    finest: impl Fn(Timestamp) -> Option<Resolution>,
) -> Option<Before> {
    let (of_from, of_to) = (finest(from)?, finest(to)?);
    let (first, end) = (from.ceil(of_from.width), to.floor(of_to.width));
    let part = |resolution: Resolution, from: Timestamp, to: Timestamp| {
        let start = from.floor(resolution.width);
        Part {
            step: Piece {
                resolution,
                from: start,
                to: start.plus(resolution.width),
            },
            length: to.since(from),
        }
    };
    // All of it can be within one step.
    let parts = if first > end {
        vec![part(of_from, from, to)]
    } else {
        vec![part(of_from, from, first), part(of_to, end, to)]
    };
    Some(Before {
        whole: pieces(first, end, DAYS),
        parts: parts.into_iter().filter(|part| part.length > 0).collect(),
    })
}

fn invalid(parameter: &'static str, problem: impl Into<String>) -> InvalidParameter {
    InvalidParameter::new(parameter, problem)
}

/// The finest resolution in which all counts of a time are kept, with those of the step of the next resolution that it
/// is in; `None` if none are.
fn finest(at: Timestamp, now: Timestamp, kept: &Kept) -> Option<Resolution> {
    let [minutes, hours, days] = kept.periods().map(|(_, kept_for)| now.plus(-kept_for));
    if at.floor(HOUR) >= minutes {
        Some(MINUTES)
    } else if at.floor(DAY) >= hours {
        Some(HOURS)
    } else if at.floor(DAY) >= days {
        Some(DAYS)
    } else {
        None
    }
}

/// Checks that the counts of a step are kept.
fn is_kept(
    step: StepLength,
    finest: Option<Resolution>,
    kept: &Kept,
) -> Result<(), InvalidParameter> {
    let (needs, text) = match step {
        StepLength::Minute => (
            MINUTE,
            format!(
                "can be `minute` only if `from` is in the last {} hours: older counts are not kept by the minute",
                kept.minutes_for_hours
            ),
        ),
        StepLength::Hour => (
            HOUR,
            format!(
                "can be `hour` only if `from` is in the last {} days: older counts are not kept by the hour",
                kept.hours_for_days
            ),
        ),
        StepLength::Day | StepLength::Month => return Ok(()),
    };
    match finest.is_some_and(|finest| finest.width <= needs) {
        true => Ok(()),
        false => Err(invalid("step", text)),
    }
}

/// The starts of the steps between two times, with both; `None` if there are too many.
fn bounds(step: StepLength, zone: &Zone, from: Timestamp, to: Timestamp) -> Option<Vec<Timestamp>> {
    let mut bounds = vec![from];
    let mut at = from;
    loop {
        at = next(step, zone, at);
        if at >= to {
            bounds.push(to);
            return Some(bounds);
        }
        if bounds.len() >= MAX_STEPS {
            return None;
        }
        bounds.push(at);
    }
}

/// The end of the step that a time belongs to.
fn next(step: StepLength, zone: &Zone, at: Timestamp) -> Timestamp {
    match step {
        StepLength::Minute => at.floor(MINUTE).plus(MINUTE),
        StepLength::Hour => at.floor(HOUR).plus(HOUR),
        StepLength::Day => zone.next_day(at),
        StepLength::Month => month_start(at, 1),
    }
}

/// The start of a month in UTC, counted from the month of a time.
fn month_start(at: Timestamp, months: i32) -> Timestamp {
    let this_month = at.utc().date().first_of_month();
    Timestamp::start_of(this_month.saturating_add(months.months()))
}

/// The same day and time of the previous year. For February 29, the last day of February.
fn a_year_before(now: Timestamp) -> Timestamp {
    let today = now.utc().date();
    let then = Timestamp::start_of(today.saturating_sub(1.year()));
    then.plus(now.since(Timestamp::start_of(today)))
}

#[cfg(test)]
mod tests;
