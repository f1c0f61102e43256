-- last_seen_at is when a user last used the pages, to some minutes; null before the first session after this migration.
--
-- An invitation is deleted when it is accepted or withdrawn. digest is that of the token in its link, under the
-- pepper that was the current one; created_by is the owner who invited in the pages. An address has one invitation to
-- an organization, and creation_token makes a request that is sent twice create one. The same tables are in
-- ../sqlite/0023_invitations.sql.
ALTER TABLE users ADD COLUMN last_seen_at BIGINT;
CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    digest BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    creation_token TEXT,
    expires_at BIGINT NOT NULL,
    UNIQUE (org_id, email),
    UNIQUE (org_id, creation_token)
);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);
