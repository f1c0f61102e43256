-- Searches compare with one form of sigma (see src/search.rs), so that a part of a Greek name in capitals is found. The same
-- change is in ../postgres/0018_sigma.sql.
UPDATE keys SET search = REPLACE(search, 'ς', 'σ') WHERE search LIKE '%ς%';
