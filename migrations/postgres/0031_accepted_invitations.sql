-- Invitations that were accepted in the last minutes, so that a form that is submitted twice leads the person who joined to
-- the organization the second time too. digest is that of the token in the link. The same table is in
-- ../sqlite/0031_accepted_invitations.sql.
CREATE TABLE accepted_invitations (
    digest BYTEA PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    accepted_at BIGINT NOT NULL
);
CREATE INDEX accepted_invitations_by_org ON accepted_invitations (org_id, accepted_at);
CREATE INDEX accepted_invitations_by_age ON accepted_invitations (accepted_at);
