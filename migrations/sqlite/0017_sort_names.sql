-- What lists of keys and agents are sorted by (see src/sort_name.rs), which SQL cannot compute: each start fills it where
-- it is empty. The same columns are in ../postgres/0017_sort_names.sql.
ALTER TABLE keys ADD COLUMN sort_name TEXT NOT NULL DEFAULT '';
CREATE INDEX keys_by_name ON keys (org_id, sort_name, id);
CREATE INDEX keys_without_sort_name ON keys (id) WHERE sort_name = '';
DROP INDEX keys_by_search;
ALTER TABLE agents ADD COLUMN sort_name TEXT NOT NULL DEFAULT '';
CREATE INDEX agents_by_name ON agents (org_id, sort_name, id);
CREATE INDEX agents_without_sort_name ON agents (id) WHERE sort_name = '';
DROP INDEX agents_by_org;
