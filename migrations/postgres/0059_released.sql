-- Finds the released keys of a service token, of which only the newest are kept. The same index is in ../sqlite/0059_released.sql.
CREATE INDEX idempotency_keys_released ON idempotency_keys (service_token_id, created_at, idempotency_key) WHERE length(fingerprint) = 0;
