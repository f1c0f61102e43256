-- is_gone is whether the object that was created with the creation_token was deleted since: a request that is repeated then
-- creates no other. The same column is in ../postgres/0032_gone_objects.sql.
ALTER TABLE idempotency_keys ADD COLUMN is_gone INTEGER NOT NULL DEFAULT 0;
CREATE INDEX idempotency_keys_by_creation ON idempotency_keys (creation_token);
