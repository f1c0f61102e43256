-- A service token can belong to one organization, which is all that it reaches. Without an organization it is the
-- operator's, for the whole instance. created_by is the owner who created it in the pages, and
-- creation_token makes a request that is sent twice create one token. The same columns are in
-- ../sqlite/0016_org_tokens.sql.
ALTER TABLE service_tokens ADD COLUMN org_id TEXT REFERENCES orgs (id) ON DELETE CASCADE;
ALTER TABLE service_tokens ADD COLUMN created_by TEXT;
ALTER TABLE service_tokens ADD COLUMN creation_token TEXT;
CREATE INDEX service_tokens_of_org ON service_tokens (org_id, id);
CREATE UNIQUE INDEX service_tokens_by_creation_token ON service_tokens (org_id, creation_token);
