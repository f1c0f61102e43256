-- The open reports of leaked keys are findings of the lists of keys. The same statement is in ../postgres/0061_reported_leaks.sql.
CREATE INDEX reviews_leaked ON reviews (org_id, key_id) WHERE aspect = 'leaked' AND superseded_at IS NULL;
