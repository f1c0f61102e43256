-- How much an org holds (see src/limits.rs) is counted in these indexes alone, whatever is in the rows. A revoked key takes
-- up no place. The same is in ../sqlite/0015_limits.sql.
ALTER TABLE keys ADD COLUMN domain_count INTEGER GENERATED ALWAYS AS (jsonb_array_length(domains::jsonb)) STORED;
ALTER TABLE agents ADD COLUMN domain_count INTEGER GENERATED ALWAYS AS (jsonb_array_length(domains::jsonb)) STORED;
CREATE INDEX keys_not_revoked ON keys (org_id, domain_count) WHERE revoked_at IS NULL;
CREATE INDEX agents_by_domain_count ON agents (org_id, domain_count);
