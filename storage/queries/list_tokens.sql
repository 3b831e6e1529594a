-- One page, or one token, without hashes (api_tokens_list_idx).
SELECT id, tenant_id, principal_kind, agent_id, user_id, name, issued_by,
       to_micros(created_at), to_micros(expires_at), to_micros(revoked_at)
FROM list_tokens($1::uuid, $2::uuid, $3::boolean, $4,
                 from_micros($5::bigint), $6::uuid, $7::integer)
