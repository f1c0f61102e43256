-- What people and tokens found when they reviewed keys, at most 1,000 rows of a key. verdict is 'keep', valid until a time, or
-- what the owners are asked for: 'rotate', 'narrow' or 'revoke'. findings is what the reviewer saw, as JSON, and codes its
-- codes, each between spaces. Each key has at most one row that no later review has superseded. done_… is the change of the
-- key that did what was asked, written in the transaction of that change; answered_… what an owner said instead. Actors are
-- as in the audit log, without foreign keys. The same table is in ../postgres/0042_reviews.sql.
CREATE TABLE reviews (
    id TEXT NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    verdict TEXT NOT NULL,
    comment TEXT NOT NULL,
    until INTEGER,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    findings TEXT NOT NULL,
    codes TEXT NOT NULL,
    creation_token TEXT,
    superseded_at INTEGER,
    done_at INTEGER,
    done_event TEXT,
    done_by_kind TEXT,
    done_by_id TEXT,
    answered_at INTEGER,
    answered_by_kind TEXT,
    answered_by_id TEXT,
    answer TEXT,
    UNIQUE (org_id, creation_token)
) STRICT;
CREATE INDEX reviews_of_org ON reviews (org_id, id);
CREATE INDEX reviews_of_key ON reviews (key_id, id);
CREATE UNIQUE INDEX reviews_current ON reviews (org_id, key_id) WHERE superseded_at IS NULL;
CREATE INDEX reviews_asked ON reviews (org_id, id)
    WHERE verdict <> 'keep' AND superseded_at IS NULL AND done_at IS NULL AND answered_at IS NULL;
