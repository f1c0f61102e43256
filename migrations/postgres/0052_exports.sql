-- The export of an account reads someone's requests for keys newest first. The same index is in ../sqlite/0052_exports.sql.
CREATE INDEX key_requests_of_user ON key_requests (user_id, id);
