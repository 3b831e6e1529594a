-- A new agent (create_agent() of 0016, which writes its audit entry). Who
-- answers for the agent that asks answers for this one, too.
SELECT i.intent_id::text,
       jsonb_build_object('agent_id', create_agent(
         i.tenant_id, i.payload ->> 'name', i.payload ->> 'role', 'active',
         coalesce((i.payload ->> 'tier')::numeric::integer, 0),
         coalesce(texts_or_null(i.payload -> 'labels'), '{}'),
         i.agent_owner, NULL, i.actor))::text
FROM effect_inputs($1::uuid[], $2::text[]) AS i
