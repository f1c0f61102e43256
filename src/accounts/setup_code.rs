//! The code that is required to create the first account, so that a stranger who finds a new instance cannot take it
//! over.
//!
//! It is derived from the pepper, so all instances share one code and none is stored. Once the first account exists,
//! no code is accepted.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::Engine;

/// The setup code.
pub fn text(engine: &Engine) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(engine.peppers.setup_code())
}

/// The path of the page that creates the first account, with the code in its query. Opening it changes nothing.
pub fn path(engine: &Engine) -> String {
    format!("/sign-up?code={}", text(engine))
}

/// Whether the text that the user entered is the code.
pub(super) fn is_right(engine: &Engine, entered: &str) -> bool {
    let code = BASE64_URL_SAFE_NO_PAD.decode(entered.trim()).ok();
    let code: Option<[u8; 16]> = code.and_then(|code| code.try_into().ok());
    code.is_some_and(|code| engine.peppers.is_setup_code(&code))
}
