//! What was typed into a form that was refused. With JavaScript it is still in the form; without, the page comes anew,
//! and the answer sends the harmless fields along in a cookie that lives for a minute. Not in the address, where they
//! would be seen and stay.

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
    use axum::http::{HeaderValue, header, request::Parts};
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    use super::Typed;
    use crate::{error::is_plain_form, query::query_of};

    const COOKIE: &str = "latchkey-typed=";
    const SECONDS: u32 = 60;
    /// Characters beyond which a field is not sent along: a cookie holds 4,096 bytes in all.
    const LONGEST: usize = 254;

    impl Typed {
        /// Sends the fields along with the answer to a form without JavaScript.
        pub fn send(fields: &[(&str, &str)]) {
            let (Some(request), Some(response)) =
                (use_context::<Parts>(), use_context::<ResponseOptions>())
            else {
                return;
            };
            if !is_plain_form(&request) {
                return;
            }
            let fields: Vec<_> = fields
                .iter()
                .copied()
                .filter(|(_, text)| text.chars().count() <= LONGEST)
                .collect();
            let fields = query_of(&fields);
            let is_https = request
                .headers
                .get(header::ORIGIN)
                .is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
            let cookie = format!(
                "{COOKIE}{}; Max-Age={SECONDS}; Path=/; HttpOnly; SameSite=Lax{}",
                fields.trim_start_matches('?'),
                if is_https { "; Secure" } else { "" },
            );
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.append_header(header::SET_COOKIE, cookie);
            }
        }

        /// The fields that came back.
        pub fn received() -> Self {
            use_context::<Parts>()
                .and_then(|request| {
                    let cookies = request.headers.get(header::COOKIE)?.to_str().ok()?;
                    let fields = cookies
                        .split("; ")
                        .find_map(|cookie| cookie.strip_prefix(COOKIE))?;
                    Some(Self(fields.to_owned()))
                })
                .unwrap_or_default()
        }
    }
}
