-- factor says with a code of which second factor a session was started: the created_at of the factor; null if none. origin is
-- the id_hash of the session that this one continues since a change of the password: both have the same attempts for codes;
-- null if it continues none. The same columns are in ../postgres/0039_sessions_with_codes.sql.
ALTER TABLE sessions ADD COLUMN factor INTEGER;
ALTER TABLE sessions ADD COLUMN origin BLOB;
