-- A submission: request id, intent and audit entry, in one statement. No row
-- comes back where the request id is taken; a submission with it that is still
-- under way is waited for. Locks nothing else.
WITH request AS (
  INSERT INTO intent_requests
    (tenant_id, principal_id, request_id, body_sha256, intent_id)
  VALUES ($1::uuid, $2::uuid, $3, $4, gen_random_uuid())
  ON CONFLICT DO NOTHING
  RETURNING intent_id
), intent AS (
  INSERT INTO intents
    (id, tenant_id, agent_id, intent_type, payload, payload_raw,
     payload_sha256, spend_micros_usd, data_class, requested_by, title,
     rationale, request_id, submitted_by_token, transition_number)
  SELECT request.intent_id, $1::uuid, $5::uuid, $6, $7::text::jsonb, $7::text,
         $8, $9::bigint, $10, $11, $12, $13, $3, $14::uuid, 1
  FROM request
  RETURNING id, created_at, updated_at
), entry AS (
  INSERT INTO audit_log
    (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
     entity_type, entity_id, meta, transition_number)
  SELECT $1::uuid, $15::uuid, $16,
         CASE WHEN $15::uuid IS NULL THEN 'system' ELSE 'user' END,
         $17::"AuditLevel", $18, 'intent', intent.id, $19::jsonb, 1
  FROM intent
)
SELECT id, to_micros(created_at), to_micros(updated_at) FROM intent
