//! Recovery codes: each replaces one code of the authenticator app, for people who have lost it.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    Engine,
    db::{StorageError, Tx, on},
    fault::Fault,
    id::UserId,
    random::{Randomness, RandomnessError},
    sealed::{Purpose, Sealed, seal, unseal},
    secret::secret,
};

/// The number of codes that are created together.
pub const RECOVERY_CODES: i64 = 10;
/// The letters and digits of a code: without those that are easily confused.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// The number of letters and digits: 80 bits.
const LENGTH: usize = 16;

/// A recovery code. Only its digest is stored.
#[derive(Debug, Clone)]
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        let bytes: [u8; LENGTH] = random.bytes()?;
        let letters = bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Ok(Self(secret(letters.collect::<String>())))
    }

    /// Reads a code as it was typed, in capital letters or without hyphens too.
    pub(super) fn read(typed: &str) -> Option<Self> {
        let kept = typed
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-');
        let code: String = kept
            .map(|letter| letter.to_ascii_lowercase())
            .take(LENGTH + 1)
            .collect();
        let is_one = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        let code = secret(code);
        is_one.then_some(Self(code))
    }

    /// The code in groups of four. Use it only in the page that shows the codes once.
    pub fn expose(&self) -> String {
        let letters: Vec<char> = self.0.expose_secret().chars().collect();
        let groups: Vec<String> = letters
            .chunks(4)
            .map(|group| group.iter().collect())
            .collect();
        groups.join("-")
    }

    fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret()).into()
    }
}

/// Replaces a user's codes within a transaction.
pub(super) async fn replace(
    engine: &Engine,
    tx: &mut Tx,
    user_id: UserId,
) -> Result<Vec<RecoveryCode>, Fault> {
    const INSERT: &str = "INSERT INTO recovery_codes (user_id, number, code, pepper_version) VALUES ($1, $2, $3, $4)";
    delete(tx, user_id).await?;
    let mut codes = Vec::new();
    for number in 1..=RECOVERY_CODES {
        let code = RecoveryCode::generate(&engine.random)?;
        let owner = user_id.to_string();
        let sealed = seal(
            &engine.peppers,
            &engine.random,
            Purpose::RecoveryCode,
            &owner,
            &code.digest(),
        )?;
        on!(tx.on(), c => sqlx::query(INSERT)
            .bind(user_id).bind(number).bind(sealed.bytes).bind(sealed.version).execute(c).await.map(drop))?;
        codes.push(code);
    }
    Ok(codes)
}

/// Deletes a user's codes within a transaction.
pub(super) async fn delete(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    const DELETE: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
    on!(tx.on(), c => sqlx::query(DELETE).bind(user_id).execute(c).await.map(drop))?;
    Ok(())
}

/// Deletes the code if the user has it. Of several concurrent requests, one deletes it.
pub(super) async fn spend(
    engine: &Engine,
    user_id: UserId,
    code: &RecoveryCode,
) -> Result<bool, Fault> {
    const SELECT: &str =
        "SELECT number, code, pepper_version FROM recovery_codes WHERE user_id = $1";
    const DELETE: &str =
        "DELETE FROM recovery_codes WHERE user_id = $1 AND number = $2 AND code = $3";
    let rows: Vec<(i64, Vec<u8>, i32)> = on!(engine.db.read(), c => sqlx::query_as(SELECT)
        .bind(user_id).fetch_all(c).await)?;
    let (digest, owner) = (code.digest(), user_id.to_string());
    let mut found = None;
    for (number, bytes, version) in rows {
        let sealed = Sealed { version, bytes };
        let stored = unseal(&engine.peppers, Purpose::RecoveryCode, &owner, &sealed)?;
        if stored[..] == digest {
            found = Some((number, sealed.bytes));
        }
    }
    let Some((number, bytes)) = found else {
        return Ok(false);
    };
    Ok(on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE)
        .bind(user_id).bind(number).bind(bytes).execute(c).await.map(|done| done.rows_affected() == 1))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = RecoveryCode::generate(&Randomness::seeded(1)).unwrap();
        let text = code.expose();
        assert_eq!(text.len(), 19);
        for typed in [
            text.clone(),
            text.to_uppercase(),
            text.replace('-', ""),
            format!(" {} ", text.replace('-', " ")),
        ] {
            assert_eq!(
                RecoveryCode::read(&typed).unwrap().expose(),
                text,
                "{typed}"
            );
        }
        for typed in [
            "",
            "123456",
            &text[1..],
            &format!("{text}a"),
            "l000-0000-0000-0000",
        ] {
            assert!(RecoveryCode::read(typed).is_none(), "{typed}");
        }
        assert_eq!(
            format!("{code:?}"),
            "RecoveryCode(SecretBox<str>([REDACTED]))"
        );
    }
}
