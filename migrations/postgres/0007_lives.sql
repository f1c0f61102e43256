-- Service tokens and people have a life: tokens expire and are revoked, people are disabled. A session carries the epoch
-- that its person had when their password was checked; whatever ends all their sessions raises it. Instances say that they
-- run, and how far they have read the audit log. The same tables are in ../sqlite/0007_lives.sql.
ALTER TABLE service_tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE service_tokens ADD COLUMN revoked_at BIGINT;
ALTER TABLE service_tokens ADD COLUMN last_used_at BIGINT;

ALTER TABLE users ADD COLUMN disabled_at BIGINT;
ALTER TABLE users ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

CREATE TABLE instances (
    id TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    position BIGINT NOT NULL
);
