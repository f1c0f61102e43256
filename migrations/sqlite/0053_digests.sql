-- Whether the IP ranges of a key restrict it, 'yes' or 'no', which SQL cannot compute. Each start fills it where it is empty.
ALTER TABLE keys ADD COLUMN ip_restricted TEXT NOT NULL DEFAULT '';

-- Whether idempotency_key is a digest, which SQLite cannot compute. Each start replaces those that are not. The same columns are in
-- ../postgres/0053_digests.sql.
ALTER TABLE idempotency_keys ADD COLUMN is_digest INTEGER NOT NULL DEFAULT 0;
