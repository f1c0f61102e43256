-- The hash of the last entry of the audit log that an instance has read (see src/effects.rs): a log that went back, in a
-- failover or a restore, has other entries at the positions that it had. The same column is in
-- ../sqlite/0011_instance_hash.sql.
ALTER TABLE instances ADD COLUMN hash BYTEA NOT NULL DEFAULT '';
