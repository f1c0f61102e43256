-- operator_since is when a user was marked as an operator of the instance; null for everyone else.
--
-- A user who deleted their account keeps a row without anything about them, so that what they created still names one
-- creator. An organization keeps its row too: its slug is never given to another one, and its audit log stays readable.
-- emptied_at is when all other rows of a deleted organization were removed, which happens in the background.
-- created_by is who created an organization in the pages, which limits how many one person creates. The same columns are
-- in ../postgres/0027_operators.sql.
ALTER TABLE users ADD COLUMN operator_since INTEGER;
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
CREATE INDEX users_operators ON users (id) WHERE operator_since IS NOT NULL;
ALTER TABLE orgs ADD COLUMN created_by TEXT;
ALTER TABLE orgs ADD COLUMN deleted_at INTEGER;
ALTER TABLE orgs ADD COLUMN emptied_at INTEGER;
CREATE INDEX orgs_by_creator ON orgs (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX orgs_to_empty ON orgs (deleted_at) WHERE deleted_at IS NOT NULL AND emptied_at IS NULL;
-- The entries of one person, over all organizations.
CREATE INDEX audit_log_of_user ON audit_log (actor_id, position) WHERE actor_kind = 'user';
-- A form of the instance's pages that is sent twice creates one token.
CREATE UNIQUE INDEX service_tokens_of_instance ON service_tokens (creation_token) WHERE org_id IS NULL;
