-- What was asked for in a request for a key that an owner has changed since: kind, environment, settings and expires_in_days as
-- JSON, in the form of settings. The indexes are for the export of what someone decided, reviewed and answered. The same
-- statements are in ../postgres/0047_asked.sql.
ALTER TABLE key_requests ADD COLUMN asked TEXT;
CREATE INDEX key_requests_by_decider ON key_requests (decided_by, id) WHERE decided_by IS NOT NULL;
CREATE INDEX reviews_by_actor ON reviews (actor_id, id) WHERE actor_kind = 'user';
CREATE INDEX reviews_by_answerer ON reviews (answered_by_id, id) WHERE answered_by_kind = 'user';
