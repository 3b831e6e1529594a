-- A tenant's few (primary key).
SELECT from_role, to_role, after_seconds
FROM escalation_rules
WHERE tenant_id = $1::uuid
ORDER BY from_role, after_seconds, to_role
LIMIT 1000
