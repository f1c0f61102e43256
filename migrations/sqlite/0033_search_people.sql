-- What operators search people and organizations by (see src/search.rs): the name in lower case, which SQL computes
-- differently on each database. Each start fills it where it is empty. The same columns are in
-- ../postgres/0033_search_people.sql.
ALTER TABLE users ADD COLUMN search TEXT NOT NULL DEFAULT '';
CREATE INDEX users_without_search ON users (id) WHERE search = '';
ALTER TABLE orgs ADD COLUMN search TEXT NOT NULL DEFAULT '';
CREATE INDEX orgs_without_search ON orgs (id) WHERE search = '';
