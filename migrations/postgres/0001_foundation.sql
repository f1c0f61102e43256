-- Times are Unix milliseconds; ids are text (see src/id.rs). The same tables stand in ../sqlite/0001_foundation.sql.

CREATE TABLE orgs (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

-- scopes, domains and ip_ranges are JSON arrays of text, metadata a JSON object.
-- search is the lower-cased name followed by the lower-cased display form: what lists are searched in and sorted by.
-- created_by names no foreign key's cascade: a key outlives its maker.
-- creation_token makes a form that is sent twice make one key.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    search TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'widget')),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    display TEXT NOT NULL,
    scopes TEXT NOT NULL DEFAULT '[]',
    domains TEXT NOT NULL DEFAULT '[]',
    ip_ranges TEXT NOT NULL DEFAULT '[]',
    notes TEXT NOT NULL DEFAULT '',
    metadata TEXT NOT NULL DEFAULT '{}',
    created_at BIGINT NOT NULL,
    created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    creation_token TEXT,
    expires_at BIGINT,
    last_used_at BIGINT,
    disabled_at BIGINT,
    revoked_at BIGINT,
    revoke_reason TEXT,
    UNIQUE (org_id, creation_token)
);
CREATE INDEX keys_by_search ON keys (org_id, search, id);
CREATE INDEX keys_by_creation ON keys (org_id, created_at, id);

-- A key's current secret has no end; rotation leaves older ones that end.
CREATE TABLE key_secrets (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    digest BYTEA NOT NULL UNIQUE,
    pepper_version INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX key_secrets_by_key ON key_secrets (key_id);

CREATE TABLE service_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('verify', 'manage')),
    digest BYTEA NOT NULL UNIQUE,
    pepper_version INTEGER NOT NULL,
    display TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- id_hash is the SHA-256 of the id in the cookie: a stolen table opens no session.
CREATE TABLE sessions (
    id_hash BYTEA PRIMARY KEY,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Counts of verifications. resolution is the length of a step: 'minute', 'hour' or 'day'. No foreign keys: a count for
-- something deleted meanwhile must not keep the rest of its batch from being stored.
CREATE TABLE usage_counts (
    org_id TEXT NOT NULL,
    resolution TEXT NOT NULL CHECK (resolution IN ('minute', 'hour', 'day')),
    starts_at BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    class TEXT NOT NULL,
    outcome TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (org_id, resolution, starts_at, key_id, class, outcome)
);
CREATE INDEX usage_counts_by_key ON usage_counts (key_id, resolution, starts_at);
CREATE INDEX usage_counts_by_age ON usage_counts (resolution, starts_at);

-- A batch is counted when its row is new: a repeated flush counts once.
CREATE TABLE usage_batches (
    instance TEXT NOT NULL,
    batch BIGINT NOT NULL,
    flushed_at BIGINT NOT NULL,
    PRIMARY KEY (instance, batch)
);
