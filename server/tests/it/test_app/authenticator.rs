//! An authenticator app, written from RFC 6238 and not from the engine.

use latchkey::{
    accounts::{
        confirmed::Confirmed,
        password::{TypedPassword, confirm},
        second_factor::{RecoveryCode, begin, finish},
        sessions::SessionHash,
    },
    caller::{Person, Visit},
    id::UserId,
    time::Timestamp,
};
use ring::hmac;

use super::{TestApp, browser::Browser, org::PASSWORD};

const PAGE: &str = "/account/two-factor";

/// An app that has the secret of one account.
pub struct Authenticator {
    secret: Vec<u8>,
}

impl Authenticator {
    /// Reads the secret as a person types it.
    pub fn of(base32: &str) -> Self {
        let letters = base32.bytes().filter(|byte| *byte != b' ');
        let bits: String = letters
            .map(|letter| match letter {
                b'A'..=b'Z' => format!("{:05b}", letter - b'A'),
                b'2'..=b'7' => format!("{:05b}", letter - b'2' + 26),
                _ => panic!("not Base32: {base32}"),
            })
            .collect();
        let bytes = bits.as_bytes().chunks_exact(8);
        let byte = |bits: &[u8]| u8::from_str_radix(str::from_utf8(bits).unwrap(), 2).unwrap();
        Self {
            secret: bytes.map(byte).collect(),
        }
    }

    /// The code that the app shows.
    pub fn code(&self, at: Timestamp) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let mac = hmac::sign(&key, &(at.as_millis() as u64 / 30_000).to_be_bytes());
        let mac = mac.as_ref();
        let from = usize::from(mac[19] % 16);
        let number = u32::from_be_bytes(mac[from..from + 4].try_into().unwrap()) % (1 << 31);
        format!("{:06}", number % 1_000_000)
    }
}

/// The proof that a user has just entered their password.
pub async fn confirmed(app: &TestApp, user_id: UserId) -> Confirmed {
    let session = SessionHash::of(b"one");
    confirm(
        &app.engine,
        at(user_id),
        session,
        TypedPassword::new(PASSWORD),
    )
    .await
    .unwrap()
}

/// Turns on the second factor of a user, with the code of the moment.
pub async fn turn_on(app: &TestApp, user_id: UserId) -> (Authenticator, Vec<RecoveryCode>) {
    let session = SessionHash::of(b"one");
    let set_up = begin(&app.engine, &confirmed(app, user_id).await, session)
        .await
        .unwrap();
    let authenticator = Authenticator::of(&set_up.secret.expose());
    let code = authenticator.code(app.clock.now());
    let codes = finish(&app.engine, at(user_id), session, &set_up.form, &code).await;
    (authenticator, codes.unwrap())
}

/// Turns on the second factor of a signed-in user in the pages, and returns the recovery codes as they are shown.
pub async fn turn_on_in(app: &TestApp, browser: &Browser) -> (Authenticator, Vec<String>) {
    let begun = browser
        .submit(PAGE, &[("change", "begin"), ("password", PASSWORD)])
        .await;
    let authenticator = Authenticator::of(&text_of(&begun.body, "<code id=\"key\">"));
    let (form, code) = (begun.hidden("set_up"), authenticator.code(app.clock.now()));
    let fields = [("change", "finish"), ("set_up", &*form), ("code", &*code)];
    let done = browser.submit(PAGE, &fields).await;
    assert_eq!(
        (done.status.as_u16(), done.header("cache-control")),
        (200, "no-store")
    );
    let codes = text_of(&done.body, "<code id=\"key\" class=\"lines\">");
    (authenticator, codes.lines().map(str::to_owned).collect())
}

/// The text that follows the start of an element.
fn text_of(body: &str, start: &str) -> String {
    let (_, rest) = body
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}: {body}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}

fn at(user_id: UserId) -> Person {
    Person {
        user_id,
        visit: Visit::default(),
    }
}
