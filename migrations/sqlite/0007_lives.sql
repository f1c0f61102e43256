-- Service tokens and people have a life: tokens expire and are revoked, people are disabled. A session carries the epoch
-- that its person had when their password was checked; whatever ends all their sessions raises it. Instances say that they
-- run, and how far they have read the audit log. The same tables are in ../postgres/0007_lives.sql.
ALTER TABLE service_tokens ADD COLUMN expires_at INTEGER;
ALTER TABLE service_tokens ADD COLUMN revoked_at INTEGER;
ALTER TABLE service_tokens ADD COLUMN last_used_at INTEGER;

ALTER TABLE users ADD COLUMN disabled_at INTEGER;
ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;

CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
