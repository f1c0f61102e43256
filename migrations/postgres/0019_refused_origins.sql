-- Requests from rejected origins, by which keys are found that need attention. The same index is in
-- ../sqlite/0019_refused_origins.sql.
CREATE INDEX usage_domains_refused ON usage_domains (org_id, starts_at, subject_id, count) WHERE NOT passed;
