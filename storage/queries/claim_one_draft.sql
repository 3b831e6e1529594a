-- Locks one DRAFT unless somebody else holds it (primary key).
SELECT * FROM intent_rows
WHERE id = $1::uuid AND status = 'DRAFT' AND switched_off(tenant_id, agent_id) IS NULL
FOR UPDATE SKIP LOCKED
