-- Another role, tier or labels of an agent (update_agent() of 0016, which
-- writes its audit entry); what is left out stays as it is.
SELECT i.intent_id::text, jsonb_build_object('agent_id', a.id)::text
FROM effect_inputs($1::uuid[], $2::text[]) AS i
JOIN agent_registry AS a
  ON a.tenant_id = i.tenant_id
  AND a.id = uuid_or_null(i.payload ->> 'agent_id')
WHERE update_agent(
  a.tenant_id, a.id, i.payload ->> 'role', NULL,
  (i.payload ->> 'tier')::numeric::integer,
  texts_or_null(i.payload -> 'labels'), false, NULL, NULL, i.actor)
