-- The decisions on one intent, in their order, each with the payload of the
-- revision that it was made on (audit_log_entity_idx, the primary keys). No
-- row where the intent is not there; one without an entry where it has no
-- decision.
SELECT a.id, i.tenant_id, i.id, a.transition_number, to_micros(a.created_at),
       a.meta::text,
       CASE
         WHEN (a.meta ->> 'revision')::integer = i.revision THEN i.payload_raw
         ELSE (SELECT r.payload_raw FROM intent_revisions AS r
               WHERE r.tenant_id = i.tenant_id AND r.intent_id = i.id
                 AND r.revision = (a.meta ->> 'revision')::integer)
       END
FROM intents AS i
LEFT JOIN audit_log AS a
  ON a.tenant_id = i.tenant_id AND a.entity_type = 'intent'
 AND a.entity_id = i.id AND a.action = 'SGL_EVALUATED'
WHERE i.id = $1::uuid
ORDER BY a.transition_number, a.created_at, a.id
LIMIT 1000
