-- One page, newest first (intents_list_idx). The tenant is named besides what
-- row level security demands, so that the index gives the order.
SELECT * FROM intent_rows
WHERE tenant_id = $1::uuid
  AND ($2::text IS NULL OR status = $2)
  AND ($3::text IS NULL OR intent_type = $3)
  AND ($4::uuid IS NULL OR agent_id = $4)
  AND ($5::bigint IS NULL OR created_at >= from_micros($5))
  AND ($6::bigint IS NULL OR created_at < from_micros($6))
  AND ($7::bigint IS NULL OR (created_at, id) < (from_micros($7), $8::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $9::integer
