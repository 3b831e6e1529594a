-- Ends an open memo (primary key).
UPDATE decision_memos
SET status = $2, resolution = $3, resolved_at = engine_now()
WHERE id = $1::uuid AND status = 'PROPOSED'
RETURNING id
