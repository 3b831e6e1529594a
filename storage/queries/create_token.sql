INSERT INTO api_tokens
  (tenant_id, principal_kind, agent_id, user_id, name, token_sha256,
   issued_by, expires_at)
VALUES
  ($1::uuid, $2, $3::uuid, $4::uuid, $5, $6, $7::uuid,
   engine_now() + $8::bigint * interval '1 microsecond')
RETURNING id
