-- A project that is created through the API by a request that is sent twice, as with agents (0004). The same column is in
-- ../sqlite/0013_project_creation_token.sql.
ALTER TABLE projects ADD COLUMN creation_token TEXT;
CREATE UNIQUE INDEX projects_by_creation_token ON projects (org_id, creation_token);
