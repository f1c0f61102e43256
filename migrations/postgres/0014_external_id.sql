-- What the operator's own system calls the user or the thing that a key is for. search ends with it, in lower case and after a
-- record separator, where a key has one. The same column is in ../sqlite/0014_external_id.sql.
ALTER TABLE keys ADD COLUMN external_id TEXT;
CREATE INDEX keys_by_external_id ON keys (org_id, external_id) WHERE external_id IS NOT NULL;
