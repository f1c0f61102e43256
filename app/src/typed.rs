//! What was typed into a form that was refused. The page comes anew, and the answer sends the harmless fields along in a
//! cookie that lives for a minute. Not in the address, where they would be seen and stay.

use serde::{Deserialize, Serialize};

use crate::query::value_of;

/// Fields of a form with what was typed into them, as a query string; never a password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed(String);

impl Typed {
    /// What was typed into `field`.
    pub fn of(&self, field: &str) -> String {
        value_of(&self.0, field)
    }
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use axum::http::request::Parts;
    use leptos::prelude::use_context;

    use super::Typed;
    use crate::{brief_cookie, error::is_plain_form, query::query_of};

    const COOKIE: &str = "latchkey-typed";
    /// Characters beyond which a field is not sent along: a cookie holds 4,096 bytes in all.
    const LONGEST: usize = 254;

    impl Typed {
        /// Sends the fields along with the answer to a form.
        pub fn send(fields: &[(&str, &str)]) {
            if !use_context::<Parts>().is_some_and(|request| is_plain_form(&request)) {
                return;
            }
            let fields: Vec<_> = fields
                .iter()
                .copied()
                .filter(|(_, text)| text.chars().count() <= LONGEST)
                .collect();
            brief_cookie::send(COOKIE, query_of(&fields).trim_start_matches('?'));
        }

        /// The fields that came back.
        pub fn received() -> Self {
            brief_cookie::received(COOKIE).map(Self).unwrap_or_default()
        }
    }
}
