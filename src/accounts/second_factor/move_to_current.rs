//! Moves second factors to the current pepper, so that no account needs an older one.

use crate::{
    Engine,
    db::on,
    fault::Fault,
    id::UserId,
    sealed::{Purpose, Sealed, seal, unseal},
};

/// Number of rows that are read at once.
const AT_ONCE: i64 = 500;

struct Table {
    purpose: Purpose,
    select: &'static str,
    update: &'static str,
}

// Only upwards: while a new pepper is rolled out, some instances still use the older one as their current pepper.
const FACTORS: Table = Table {
    purpose: Purpose::SecondFactor,
    select: "SELECT user_id, CAST(0 AS BIGINT), secret, pepper_version FROM second_factors \
         WHERE pepper_version < $1 AND pepper_version >= $2 ORDER BY pepper_version, user_id LIMIT $3",
    update: "UPDATE second_factors SET secret = $1, pepper_version = $2 WHERE user_id = $3 AND secret = $5 AND $4 = $4",
};
const CODES: Table = Table {
    purpose: Purpose::RecoveryCode,
    select: "SELECT user_id, number, code, pepper_version FROM recovery_codes \
         WHERE pepper_version < $1 AND pepper_version >= $2 ORDER BY pepper_version, user_id, number LIMIT $3",
    update: "UPDATE recovery_codes SET code = $1, pepper_version = $2 WHERE user_id = $3 AND number = $4 AND code = $5",
};

/// Encrypts all second factors and recovery codes again that are under an older pepper.
///
/// # Errors
/// If the database cannot be reached.
pub async fn move_to_current_pepper(engine: &Engine) -> Result<(), Fault> {
    move_table(engine, &FACTORS).await?;
    move_table(engine, &CODES).await
}

async fn move_table(engine: &Engine, table: &Table) -> Result<(), Fault> {
    let current = engine.peppers.current_version();
    // What needs a pepper that is not in the settings stays as it is, and does not hold up the rest.
    let mut older: Vec<i32> = engine
        .peppers
        .versions()
        .filter(|version| *version < current)
        .collect();
    older.sort_unstable();
    for version in older {
        loop {
            let rows: Vec<(UserId, i64, Vec<u8>, i32)> = on!(engine.db.read(), c => sqlx::query_as(table.select)
                .bind(version + 1).bind(version).bind(AT_ONCE).fetch_all(c).await)?;
            let mut moved = 0;
            for (user_id, number, bytes, version) in rows {
                moved +=
                    move_row(engine, table, user_id, number, Sealed { version, bytes }).await?;
            }
            if moved == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Returns the number of rows that were updated: none if the row was changed in the meantime or cannot be read.
async fn move_row(
    engine: &Engine,
    table: &Table,
    user_id: UserId,
    number: i64,
    sealed: Sealed,
) -> Result<u64, Fault> {
    let owner = user_id.to_string();
    let plain = match unseal(&engine.peppers, table.purpose, &owner, &sealed) {
        Ok(plain) => plain,
        Err(error) => {
            let account = &*owner;
            tracing::error!(
                account,
                error = &error as &dyn std::error::Error,
                "a second factor cannot be read"
            );
            return Ok(0);
        }
    };
    let again = seal(
        &engine.peppers,
        &engine.random,
        table.purpose,
        &owner,
        &plain,
    )?;
    Ok(
        on!(engine.db.write_unrecorded(), c => sqlx::query(table.update)
        .bind(again.bytes).bind(again.version).bind(user_id).bind(number).bind(sealed.bytes)
        .execute(c).await.map(|done| done.rows_affected()))?,
    )
}
