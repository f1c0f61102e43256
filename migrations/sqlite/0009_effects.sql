-- How long changes of keys took until every instance knew of them (see src/effects.rs): the entries of the audit log that
-- one change wrote, and the milliseconds from its commit. Rows are deleted within hours. The same table is in
-- ../postgres/0009_effects.sql.
CREATE TABLE effects (
    first_position INTEGER PRIMARY KEY,
    last_position INTEGER NOT NULL,
    millis INTEGER NOT NULL,
    noted_at INTEGER NOT NULL
) STRICT;
