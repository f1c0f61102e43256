-- Requests for keys of members who cannot create keys. settings are those of the key as JSON; expires_in_days counts from the
-- time when the requester reveals the key, and settings has no expiry then. name is that of the key, for lists. version counts
-- the changes by owners. approved_until is when an approval ends that was not used. ended_at is when the request was declined,
-- withdrawn or used, or when its approval ended. key_id is the key that was created.
-- keys.approved_by is the owner who approved the request for the key. The same tables are in ../sqlite/0043_key_requests.sql.
CREATE TABLE key_requests (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'widget')),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    settings TEXT NOT NULL,
    expires_in_days BIGINT,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'declined', 'withdrawn', 'created', 'expired')),
    version BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    creation_token TEXT,
    changed_by TEXT,
    decided_by TEXT,
    decided_at BIGINT,
    comment TEXT NOT NULL DEFAULT '',
    approved_until BIGINT,
    ended_at BIGINT,
    key_id TEXT,
    UNIQUE (org_id, creation_token)
);
CREATE INDEX key_requests_by_org ON key_requests (org_id, id);
CREATE INDEX key_requests_by_user ON key_requests (user_id, org_id, id);
CREATE INDEX key_requests_waiting ON key_requests (org_id, id) WHERE state IN ('open', 'approved');
CREATE INDEX key_requests_by_end ON key_requests (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX key_requests_by_approval ON key_requests (approved_until) WHERE state = 'approved';
ALTER TABLE keys ADD COLUMN approved_by TEXT;
