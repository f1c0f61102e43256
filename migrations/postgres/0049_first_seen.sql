-- When a source was first seen, in milliseconds. NULL for those that were stored before this was recorded. The same column is in
-- ../sqlite/0049_first_seen.sql.
ALTER TABLE usage_seen ADD COLUMN first_at BIGINT;
