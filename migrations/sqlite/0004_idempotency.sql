-- A request that makes something and is sent twice makes it once: the first to come claims the key and gets the
-- creation_token under which the thing is made. fingerprint is the SHA-256 of method, path and body; the body itself,
-- and what was answered, are not kept. Rows are deleted after a day. The same tables stand in
-- ../postgres/0004_idempotency.sql.
CREATE TABLE idempotency_keys (
    service_token_id TEXT NOT NULL REFERENCES service_tokens (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    creation_token TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (service_token_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

ALTER TABLE orgs ADD COLUMN creation_token TEXT;
CREATE UNIQUE INDEX orgs_by_creation_token ON orgs (creation_token);
ALTER TABLE agents ADD COLUMN creation_token TEXT;
CREATE UNIQUE INDEX agents_by_creation_token ON agents (org_id, creation_token);

-- Which sites may read answers is gathered from these.
CREATE INDEX keys_of_browsers ON keys (id) WHERE kind = 'widget' AND revoked_at IS NULL;
