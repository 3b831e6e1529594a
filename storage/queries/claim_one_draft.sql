-- Locks one DRAFT unless somebody else holds it (primary key).
SELECT * FROM intent_rows
WHERE id = $1::uuid AND status = 'DRAFT' AND engine_enabled()
FOR UPDATE SKIP LOCKED
