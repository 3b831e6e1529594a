-- The intent that a request id stands for (primary key of intent_requests).
SELECT q.body_sha256 = $4, r.*
FROM intent_requests AS q
JOIN intent_rows AS r ON r.tenant_id = q.tenant_id AND r.id = q.intent_id
WHERE q.tenant_id = $1::uuid AND q.principal_id = $2::uuid
  AND q.request_id = $3
