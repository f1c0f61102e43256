-- Times are Unix milliseconds; ids are text (see src/id.rs). The same tables stand in ../postgres/0001_foundation.sql.

CREATE TABLE orgs (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, user_id)
) STRICT;
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (org_id, name)
) STRICT;

-- scopes, domains and ip_ranges are JSON arrays of text, metadata a JSON object.
-- search is the lower-cased name followed by the lower-cased display form: what lists are searched in and sorted by.
-- created_by names no foreign key's cascade: a key outlives its maker.
-- creation_token makes a form that is sent twice make one key.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    search TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'widget')),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    display TEXT NOT NULL,
    scopes TEXT NOT NULL DEFAULT '[]',
    domains TEXT NOT NULL DEFAULT '[]',
    ip_ranges TEXT NOT NULL DEFAULT '[]',
    notes TEXT NOT NULL DEFAULT '',
    metadata TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    creation_token TEXT,
    expires_at INTEGER,
    last_used_at INTEGER,
    disabled_at INTEGER,
    revoked_at INTEGER,
    revoke_reason TEXT,
    UNIQUE (org_id, creation_token)
) STRICT;
CREATE INDEX keys_by_search ON keys (org_id, search, id);
CREATE INDEX keys_by_creation ON keys (org_id, created_at, id);

-- A key's current secret has no end; rotation leaves older ones that end.
CREATE TABLE key_secrets (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    digest BLOB NOT NULL UNIQUE,
    pepper_version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX key_secrets_by_key ON key_secrets (key_id);

CREATE TABLE service_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('verify', 'manage')),
    digest BLOB NOT NULL UNIQUE,
    pepper_version INTEGER NOT NULL,
    display TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- id_hash is the SHA-256 of the id in the cookie: a stolen table opens no session.
CREATE TABLE sessions (
    id_hash BLOB PRIMARY KEY,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Counts of verifications. resolution is the length of a step: 'minute', 'hour' or 'day'. No foreign keys: a count for
-- something deleted meanwhile must not keep the rest of its batch from being stored.
CREATE TABLE usage_counts (
    org_id TEXT NOT NULL,
    resolution TEXT NOT NULL CHECK (resolution IN ('minute', 'hour', 'day')),
    starts_at INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    class TEXT NOT NULL,
    outcome TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (org_id, resolution, starts_at, key_id, class, outcome)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_counts_by_key ON usage_counts (key_id, resolution, starts_at);
CREATE INDEX usage_counts_by_age ON usage_counts (resolution, starts_at);

-- A batch is counted when its row is new: a repeated flush counts once.
CREATE TABLE usage_batches (
    instance TEXT NOT NULL,
    batch INTEGER NOT NULL,
    flushed_at INTEGER NOT NULL,
    PRIMARY KEY (instance, batch)
) STRICT, WITHOUT ROWID;
