-- Whether a change of the key has allowed a rejected host since, so that its requests need no attention. The same column and index are in
-- ../postgres/0055_now_allowed.sql.
ALTER TABLE usage_domains ADD COLUMN now_allowed INTEGER NOT NULL DEFAULT 0;
DROP INDEX usage_domains_refused;
CREATE INDEX usage_domains_refused ON usage_domains (org_id, starts_at, subject_id, count) WHERE NOT passed AND NOT now_allowed;
