-- Where the audit log begins is authenticated (see src/audit/checkpoint.rs): an HMAC over the checkpoint under the pepper
-- with this number. Both are NULL as long as nothing was deleted, and where an earlier version deleted entries. The same
-- columns are in ../sqlite/0010_audit_checkpoint_mac.sql.
ALTER TABLE audit_checkpoint ADD COLUMN pepper_version INTEGER;
ALTER TABLE audit_checkpoint ADD COLUMN mac BYTEA;
