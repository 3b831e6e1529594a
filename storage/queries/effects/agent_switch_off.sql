-- Switches an agent off, with the audit entry of that (set_kill_switch() of
-- 0009), and notes which transaction did (0048). One that is off already stays
-- off as it is. Only operators switch on again.
WITH input AS MATERIALIZED (
  SELECT i.*, a.id AS agent_id, switched_off(a.tenant_id, a.id) AS off_level
  FROM effect_inputs($1::uuid[], $2::text[]) AS i
  JOIN agent_registry AS a
    ON a.tenant_id = i.tenant_id
    AND a.id = uuid_or_null(i.payload ->> 'agent_id')
), ordered AS (
  INSERT INTO switch_orders (tenant_id, intent_id, agent_id, reason)
  SELECT i.tenant_id, i.intent_id, i.agent_id, i.payload ->> 'reason'
  FROM input AS i
  WHERE i.off_level IS NULL
  RETURNING intent_id
)
SELECT i.intent_id::text, jsonb_build_object('agent_id', i.agent_id)::text
FROM input AS i
LEFT JOIN ordered AS o ON o.intent_id = i.intent_id
-- The order first: what it refuses says what would fit.
WHERE CASE WHEN o.intent_id IS NULL THEN i.off_level IS NOT NULL
           ELSE set_kill_switch(i.tenant_id, i.agent_id, false,
                                i.payload ->> 'reason', NULL, i.actor) END
