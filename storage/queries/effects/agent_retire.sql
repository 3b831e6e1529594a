-- An agent becomes retired (update_agent() of 0016, which writes its audit
-- entry). Its tokens stay: what a retired agent may do is for the rules to say.
SELECT i.intent_id::text, jsonb_build_object('agent_id', a.id)::text
FROM effect_inputs($1::uuid[], $2::text[]) AS i
JOIN agent_registry AS a
  ON a.tenant_id = i.tenant_id
  AND a.id = uuid_or_null(i.payload ->> 'agent_id')
WHERE update_agent(a.tenant_id, a.id, NULL, 'retired', NULL, NULL, false, NULL,
                   NULL, i.actor)
