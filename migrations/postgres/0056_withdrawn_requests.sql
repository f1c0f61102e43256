-- When whoever asked something of the owners withdrew it, which is superseded_at, too: nothing superseded it but themselves, so
-- superseded_by is null. The same column is in ../sqlite/0056_withdrawn_requests.sql.
ALTER TABLE reviews ADD COLUMN withdrawn_at BIGINT;
