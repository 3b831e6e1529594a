-- Entries of a log that were gone before they could be sealed; few if any
-- (the queue is small).
SELECT entry_id
FROM audit_unsealed
WHERE (tenant_id = $1::uuid OR ($1::uuid IS NULL AND tenant_id IS NULL))
  AND missing_since IS NOT NULL
ORDER BY queue_position
LIMIT 100
