-- One page of a tenant's decisions, oldest first, each with the payload of the
-- revision that it was made on (audit_log_list_idx, read backwards;
-- intents_tenant_id_key). A plain time bound beside the place, so that months
-- that are past are not looked at. Not ordered by commit: what commits late
-- with an earlier time is missed by who has passed it.
SELECT a.id, to_micros(a.created_at), a.entity_id, a.transition_number,
       a.meta::text,
       CASE
         WHEN (a.meta ->> 'revision')::integer = i.revision THEN i.payload_raw
         ELSE (SELECT r.payload_raw FROM intent_revisions AS r
               WHERE r.tenant_id = i.tenant_id AND r.intent_id = i.id
                 AND r.revision = (a.meta ->> 'revision')::integer)
       END
FROM audit_log AS a
JOIN intents AS i ON i.tenant_id = a.tenant_id AND i.id = a.entity_id
WHERE a.tenant_id = $1::uuid
  AND a.action = 'SGL_EVALUATED'
  AND a.entity_type = 'intent'
  AND a.created_at >= from_micros($2::bigint)
  AND ($3::uuid IS NULL
       OR (a.created_at, a.id) > (from_micros($2::bigint), $3::uuid))
  AND a.created_at < from_micros($4::bigint)
  AND ($5::text IS NULL OR a.meta #>> '{facts,intent,type}' = $5)
ORDER BY a.created_at, a.id
LIMIT $6::integer
