-- How long changes of keys took until every instance knew of them (see src/effects.rs): the entries of the audit log that
-- one change wrote, and the milliseconds from its commit. Rows are deleted within hours. The same table is in
-- ../sqlite/0009_effects.sql.
CREATE TABLE effects (
    first_position BIGINT PRIMARY KEY,
    last_position BIGINT NOT NULL,
    millis BIGINT NOT NULL,
    noted_at BIGINT NOT NULL
);
