-- Several requests about a key can be open together: of the reviews that no later one has superseded, a key has at most one with
-- each verdict and aspect. superseded_by is the review that did. What an owner promised is kept apart from what one answered, and
-- key_name is what the key was called when it was reviewed. key_reminders.reason says which promise is meant. The same statements
-- are in ../sqlite/0050_open_requests.sql.
DROP INDEX reviews_current;
CREATE UNIQUE INDEX reviews_current ON reviews (org_id, key_id, verdict, (COALESCE(aspect, ''))) WHERE superseded_at IS NULL;
ALTER TABLE reviews ADD COLUMN superseded_by TEXT;
ALTER TABLE reviews ADD COLUMN promised_by_kind TEXT;
ALTER TABLE reviews ADD COLUMN promised_by_id TEXT;
ALTER TABLE reviews ADD COLUMN promise TEXT;
ALTER TABLE reviews ADD COLUMN key_name TEXT;
UPDATE reviews SET promised_by_kind = answered_by_kind, promised_by_id = answered_by_id, promise = answer, answered_by_kind = NULL, answered_by_id = NULL, answer = NULL WHERE promised_at IS NOT NULL AND answered_at IS NULL;
UPDATE reviews SET key_name = (SELECT keys.name FROM keys WHERE keys.id = reviews.key_id), superseded_by = CASE WHEN superseded_at IS NOT NULL THEN (SELECT MIN(later.id) FROM reviews AS later WHERE later.key_id = reviews.key_id AND later.id > reviews.id) END;
UPDATE key_reminders SET reason = COALESCE((SELECT 'promise.' || reviews.verdict || COALESCE('.' || reviews.aspect, '') FROM reviews WHERE reviews.org_id = key_reminders.org_id AND reviews.key_id = key_reminders.key_id AND reviews.superseded_at IS NULL), reason) WHERE reason = 'promise';
CREATE INDEX reviews_by_promiser ON reviews (promised_by_id, id) WHERE promised_by_kind = 'user';
CREATE INDEX reviews_ended ON reviews (org_id, superseded_at)
    WHERE verdict <> 'keep' AND superseded_at IS NOT NULL AND done_at IS NULL AND answered_at IS NULL;
