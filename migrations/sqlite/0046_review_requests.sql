-- Which part of a key a review asks to narrow ('scopes', 'expiry', 'ip_ranges', 'domains' or 'localhost'; NULL for any), and when
-- an owner promised to do what it asks: answered_by_… and answer are theirs until an answer closes the request. The same
-- changes are in ../postgres/0046_review_requests.sql.
ALTER TABLE reviews ADD COLUMN aspect TEXT;
ALTER TABLE reviews ADD COLUMN promised_at INTEGER;

-- Problems of keys by secret, so that one ends with the secret that has it. What was stored before is that of the secret which was
-- the newest at the last such request.
ALTER TABLE key_findings RENAME TO key_findings_before;
CREATE TABLE key_findings (
    org_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    secret_id TEXT NOT NULL DEFAULT '',
    finding TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (org_id, key_id, secret_id, finding)
) STRICT, WITHOUT ROWID;
INSERT INTO key_findings (org_id, key_id, finding, first_at, last_at, count, origin)
    SELECT org_id, key_id, finding, first_at, last_at, count, origin FROM key_findings_before;
DROP TABLE key_findings_before;
UPDATE key_findings SET secret_id = COALESCE((SELECT key_secrets.id FROM key_secrets WHERE key_secrets.key_id = key_findings.key_id AND key_secrets.created_at <= key_findings.last_at ORDER BY key_secrets.created_at DESC, key_secrets.id DESC LIMIT 1), '') WHERE secret_id = '';
