-- One page, newest first (decision_memos_list_idx).
SELECT * FROM memo_rows
WHERE tenant_id = $1::uuid
  AND ($2::text IS NULL OR status = $2)
  AND ($3::uuid IS NULL OR intent_id = $3)
  AND ($4::text IS NULL OR intent_type = $4)
  AND ($5::bigint IS NULL OR (created_at, id) < (from_micros($5), $6::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $7::integer
