-- Counts of verifications by compact ids. The same tables are in ../postgres/0028_usage.sql.

-- What is counted. kind is 0 for an organization, 1 for its keys and agents that share a project, an environment and a
-- kind, 2 for a key, and 3 for an agent whose public ID was sent instead of a key. ref_id is the ID of the key or agent,
-- or the project that the keys share; environment and key_kind ('secret', 'widget' or 'agent') are only set for kind 1.
-- AUTOINCREMENT: an id that was deleted is not used again, since another process may still remember it.
CREATE TABLE usage_subjects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    org_id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    ref_id TEXT NOT NULL DEFAULT '',
    environment TEXT NOT NULL DEFAULT '',
    key_kind TEXT NOT NULL DEFAULT '',
    UNIQUE (org_id, kind, ref_id, environment, key_kind)
) STRICT;

-- The endpoint classes of conventions.
CREATE TABLE usage_classes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Counts per minute, hour and day. starts_at is the number of minutes, hours or days since 1970 in UTC, and outcome a
-- number of src/outcome.rs. No foreign keys: a count for something deleted meanwhile must not keep the rest of its batch
-- from being stored.
CREATE TABLE usage_minutes (
    subject INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    class INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (subject, starts_at, class, outcome)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage_hours (
    subject INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    class INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (subject, starts_at, class, outcome)
) STRICT, WITHOUT ROWID;
CREATE TABLE usage_days (
    subject INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    class INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (subject, starts_at, class, outcome)
) STRICT, WITHOUT ROWID;

-- Sums of the counts since the start of the last 24 hours, 7 and 30 days and 12 months, and of these and as much before
-- (see src/usage/totals.rs), by which the keys of an organization are ranked. org is the subject of the organization and
-- kind that of the subject. rolled_to is the hour since 1970 in which these times were last moved, 0 for never.
CREATE TABLE usage_totals (
    org INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    class INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    rolled_to INTEGER NOT NULL DEFAULT 0,
    h24 INTEGER NOT NULL DEFAULT 0,
    h48 INTEGER NOT NULL DEFAULT 0,
    d7 INTEGER NOT NULL DEFAULT 0,
    d14 INTEGER NOT NULL DEFAULT 0,
    d30 INTEGER NOT NULL DEFAULT 0,
    d60 INTEGER NOT NULL DEFAULT 0,
    m12 INTEGER NOT NULL DEFAULT 0,
    m24 INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org, kind, subject, class, outcome)
) STRICT, WITHOUT ROWID;

-- What is stored moves over. A restore of an older backup runs the rest of this file, too.
INSERT INTO usage_classes (id, name) SELECT ROW_NUMBER() OVER (ORDER BY class), class
    FROM (SELECT DISTINCT class FROM usage_counts) AS classes;
INSERT INTO usage_subjects (org_id, kind) SELECT DISTINCT org_id, 0 FROM usage_counts;
INSERT INTO usage_subjects (org_id, kind, ref_id)
    SELECT DISTINCT org_id, CASE WHEN key_id LIKE 'agn%' THEN 3 ELSE 2 END, key_id FROM usage_counts;

-- Each key and agent with what its counts belong to, besides itself: all that share its project, environment and kind.
CREATE TABLE usage_moved_keys AS
    SELECT counted.id AS subject, counted.org_id, counted.ref_id AS key_id,
        COALESCE(keys.project_id, agents.project_id, '') AS project_id, COALESCE(keys.environment, '') AS environment,
        COALESCE(keys.kind, CASE counted.kind WHEN 3 THEN 'agent' ELSE '' END) AS key_kind
    FROM usage_subjects AS counted LEFT JOIN keys ON keys.id = counted.ref_id
    LEFT JOIN agents ON agents.id = counted.ref_id WHERE counted.kind IN (2, 3);
INSERT INTO usage_subjects (org_id, kind, ref_id, environment, key_kind)
    SELECT DISTINCT org_id, 1, project_id, environment, key_kind FROM usage_moved_keys;
CREATE TABLE usage_moved_to AS
    SELECT moved.org_id, moved.key_id, moved.subject FROM usage_moved_keys AS moved
    UNION ALL SELECT moved.org_id, moved.key_id, shared.id FROM usage_moved_keys AS moved
        JOIN usage_subjects AS shared ON shared.org_id = moved.org_id AND shared.kind = 1
        AND shared.ref_id = moved.project_id AND shared.environment = moved.environment AND shared.key_kind = moved.key_kind
    UNION ALL SELECT moved.org_id, moved.key_id, whole.id FROM usage_moved_keys AS moved
        JOIN usage_subjects AS whole ON whole.org_id = moved.org_id AND whole.kind = 0;
CREATE INDEX usage_moved_to_by_key ON usage_moved_to (key_id);
CREATE TABLE usage_moved_outcomes (number INTEGER NOT NULL, code TEXT PRIMARY KEY);
INSERT INTO usage_moved_outcomes (number, code) VALUES
    (0, 'VALID'), (1, 'MISSING_API_KEY'), (2, 'INVALID_API_KEY'), (3, 'EXPIRED_API_KEY'),
    (4, 'AGENT_NOT_FOUND'), (5, 'ORG_MISMATCH'), (6, 'WRONG_ENVIRONMENT'), (7, 'WRONG_PROJECT'),
    (8, 'ORIGIN_NOT_ALLOWED'), (9, 'SECRET_KEY_IN_BROWSER'), (10, 'IP_NOT_ALLOWED'), (11, 'INSUFFICIENT_SCOPE'),
    (12, 'INSUFFICIENT_CREDITS'), (13, 'QUOTA_EXCEEDED'), (14, 'RATE_LIMITED');
INSERT INTO usage_minutes (subject, starts_at, class, outcome, count)
    SELECT moved.subject, counts.starts_at / 60000, classes.id, outcomes.number, CAST(SUM(counts.count) AS INTEGER)
    FROM usage_counts AS counts JOIN usage_moved_to AS moved ON moved.key_id = counts.key_id AND moved.org_id = counts.org_id
    JOIN usage_classes AS classes ON classes.name = counts.class
    JOIN usage_moved_outcomes AS outcomes ON outcomes.code = counts.outcome
    WHERE counts.resolution = 'minute' GROUP BY 1, 2, 3, 4;
INSERT INTO usage_hours (subject, starts_at, class, outcome, count)
    SELECT moved.subject, counts.starts_at / 3600000, classes.id, outcomes.number, CAST(SUM(counts.count) AS INTEGER)
    FROM usage_counts AS counts JOIN usage_moved_to AS moved ON moved.key_id = counts.key_id AND moved.org_id = counts.org_id
    JOIN usage_classes AS classes ON classes.name = counts.class
    JOIN usage_moved_outcomes AS outcomes ON outcomes.code = counts.outcome
    WHERE counts.resolution = 'hour' GROUP BY 1, 2, 3, 4;
INSERT INTO usage_days (subject, starts_at, class, outcome, count)
    SELECT moved.subject, counts.starts_at / 86400000, classes.id, outcomes.number, CAST(SUM(counts.count) AS INTEGER)
    FROM usage_counts AS counts JOIN usage_moved_to AS moved ON moved.key_id = counts.key_id AND moved.org_id = counts.org_id
    JOIN usage_classes AS classes ON classes.name = counts.class
    JOIN usage_moved_outcomes AS outcomes ON outcomes.code = counts.outcome
    WHERE counts.resolution = 'day' GROUP BY 1, 2, 3, 4;
-- The sums are computed after the next start, because rolled_to is 0.
INSERT INTO usage_totals (org, kind, subject, class, outcome)
    SELECT DISTINCT whole.id, counted.kind, counted.id, days.class, days.outcome FROM usage_days AS days
    JOIN usage_subjects AS counted ON counted.id = days.subject
    JOIN usage_subjects AS whole ON whole.org_id = counted.org_id AND whole.kind = 0;
DROP TABLE usage_moved_outcomes;
DROP TABLE usage_moved_to;
DROP TABLE usage_moved_keys;
DROP TABLE usage_counts;
