-- What the valid requests of a key, or of an agent whose public ID was sent instead of a key, came with. subject is an id of
-- usage_subjects; kind is 0 for an origin, 1 for a scope, 2 for a network and 3 for a client; the empty value is the sum of
-- all others. A subject has at most 20 values of each kind (100 scopes). The same table is in ../sqlite/0036_seen.sql.
CREATE TABLE usage_seen (
    subject INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    value TEXT NOT NULL,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (subject, kind, value)
);
