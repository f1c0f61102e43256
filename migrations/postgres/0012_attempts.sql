-- How often a password or a code was tried lately (see src/accounts/attempts.rs). subject is a keyed hash of the account,
-- network or browser that the attempts are counted for, so that nothing that was entered is stored. Rows are deleted within
-- minutes after ends_at, and their number is limited. The same table is in ../sqlite/0012_attempts.sql.
CREATE TABLE attempts (
    subject BYTEA PRIMARY KEY,
    made BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX attempts_by_end ON attempts (ends_at);
