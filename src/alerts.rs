//! Keys whose requests or rejected requests are far above their own past: found from stored counts, listed, and mailed to
//! owners and admins, together with reminders about keys, at most once a day.

#[cfg(feature = "native")]
mod digest;
#[cfg(feature = "native")]
mod list;
#[cfg(feature = "native")]
mod notice;
#[cfg(feature = "native")]
mod reminders;
pub mod rule;
#[cfg(feature = "native")]
pub mod settings;

#[cfg(feature = "native")]
pub use self::{
    digest::{post_digests, post_reminders},
    list::{Alert, delete_old, recent},
    notice::notice,
    reminders::{Reminder, ReminderAbout},
};
