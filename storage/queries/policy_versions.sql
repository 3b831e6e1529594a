-- Newest first (policies_list_idx).
SELECT id, tenant_id, digest, names, texts, author, author_user_id, description,
       report, created_micros, is_active, activated_micros, activated_by,
       activated_by_external, intent_id
FROM policy_versions($1::uuid, $2::uuid, $3, $4::boolean, $5::bigint,
                     $6::uuid, $7::integer, $8::boolean)
