//! Rate limits in words.

use std::num::NonZeroU32;

use latchkey::convention::Convention;

use crate::text::number::grouped;

/// The rate limit of each class: `60 a minute (chat), 120 a minute (config)`.
pub(crate) fn rate_limits(convention: &Convention) -> String {
    let of_class = |(name, per_minute): (&String, &NonZeroU32)| {
        let limit = format!("{} a minute", grouped(i64::from(per_minute.get())));
        if convention.classes.len() == 1 {
            limit
        } else {
            format!("{limit} ({name})")
        }
    };
    let limits: Vec<String> = convention.classes.iter().map(of_class).collect();
    limits.join(", ")
}
