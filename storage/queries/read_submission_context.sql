-- All that deciding the submissions of a group takes, in one round trip
-- (submission_context() of 0049): the first column says what a row is.
SELECT kind, id, tenant_id, name, role, status, tier, labels, micros
FROM submission_context($1::uuid[], $2::uuid[], $3::text[])
