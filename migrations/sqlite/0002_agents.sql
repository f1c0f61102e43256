-- Agents, where keys may be used from, and what use of them has shown. The same stands in ../postgres/0002_agents.sql.

-- Whether secret keys are let through when a browser made the request.
ALTER TABLE orgs ADD COLUMN secrets_in_browsers INTEGER NOT NULL DEFAULT 0;

-- A key's own switch against pages on localhost, where the convention has one.
ALTER TABLE keys ADD COLUMN localhost_forbidden INTEGER NOT NULL DEFAULT 0;

-- domains is a JSON array of text. public_id may stand in a page's source; with public_embedding it may do so in place
-- of a key.
CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES projects (id),
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    domains TEXT NOT NULL DEFAULT '[]',
    public_embedding INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX agents_by_org ON agents (org_id, name, id);
CREATE INDEX agents_by_project ON agents (project_id);
CREATE INDEX keys_by_project ON keys (project_id);

-- What verifications have shown about a key, with the latest origin as evidence. No foreign keys, as in usage_counts.
CREATE TABLE key_findings (
    org_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    finding TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (org_id, key_id, finding)
) STRICT, WITHOUT ROWID;

-- Requests by day and domain: the allowed pattern that let them pass, or the host that was refused. subject_id is a key's
-- or, for pages without a key, an agent's; domain is '' for what has no name of its own.
CREATE TABLE usage_domains (
    org_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    domain TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject_id, starts_at, passed, domain)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_domains_by_age ON usage_domains (starts_at);
