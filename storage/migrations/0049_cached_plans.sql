-- What each submission and each batch reads first, as functions: PostgreSQL keeps
-- the plans of plpgsql's statements for as long as a session lasts, where a
-- statement with parameters is planned each time (through PgBouncer in
-- transaction mode nothing can be prepared), and these take longer to plan than
-- to run.

-- Agents and tenants by primary key, budgets, and the clock: `kind` says which.
-- A tenant comes with the providers that it is connected to, 200 at most:
-- entries of the log hold them all. What budgets have left and their limit come
-- as texts. Runs with the rights of who asks.
CREATE FUNCTION read_facts(agent_ids uuid[], tenant_ids uuid[],
                           spend_tenants uuid[], spend_categories text[])
RETURNS TABLE (kind text, id uuid, tenant_id uuid, name text, role text,
               status text, tier integer, labels text[], micros bigint)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT 'agent', a.id, a.tenant_id, a.name, a.role, a.status, a.tier,
           a.labels, NULL::bigint
    FROM agent_registry AS a
    WHERE a.id = ANY (agent_ids);
  RETURN QUERY
    SELECT 'tenant', t.id, NULL::uuid, t.slug, t.seat::text, NULL::text,
           NULL::integer,
           ARRAY(SELECT g.provider FROM integrations AS g
                 WHERE g.tenant_id = t.id AND g.connected
                 ORDER BY g.provider LIMIT 200), NULL::bigint
    FROM tenants AS t
    WHERE t.id = ANY (tenant_ids);
  IF cardinality(spend_tenants) > 0 THEN
    RETURN QUERY
      SELECT 'budget', NULL::uuid, b.tenant_id, b.category,
             b.remaining_micros::text, b.limit_micros::text, NULL::integer,
             NULL::text[], NULL::bigint
      FROM tightest_budgets(spend_tenants, spend_categories, engine_now()) AS b;
  END IF;
  RETURN QUERY
    SELECT 'now', NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::text,
           NULL::integer, NULL::text[], to_micros(engine_now());
END
$$;

-- All that deciding the submissions of a group takes. Shares the policy locks of
-- the transaction's tenants and reads what is active (0013; no id: the
-- platform's) and what is switched off (0027) after it has them, then the facts.
CREATE FUNCTION submission_context(agent_ids uuid[], spend_tenants uuid[],
                                   spend_categories text[])
RETURNS TABLE (kind text, id uuid, tenant_id uuid, name text, role text,
               status text, tier integer, labels text[], micros bigint)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT 'policy', d.tenant_id, NULL::uuid, d.digest, NULL::text, NULL::text,
           NULL::integer, NULL::text[], NULL::bigint
    FROM settlement_policy_digests() AS d;
  RETURN QUERY
    SELECT 'off', s.agent_id, s.tenant_id, NULL::text, NULL::text, NULL::text,
           NULL::integer, NULL::text[], NULL::bigint
    FROM submission_switches(agent_ids) AS s;
  RETURN QUERY
    SELECT *
    FROM read_facts(agent_ids,
                    NULLIF(current_setting('intent.tenants', true),
                           '')::uuid[],
                    spend_tenants, spend_categories);
END
$$;

DO $$
DECLARE
  signature regprocedure;
BEGIN
  FOREACH signature IN ARRAY ARRAY[
    'read_facts(uuid[], uuid[], uuid[], text[])',
    'submission_context(uuid[], uuid[], text[])'
  ]::regprocedure[] LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime', signature);
  END LOOP;
END
$$;

-- Sealing found each entry by reading all of its tenant's in a young log, or a
-- new month's partition: what the planner knew was that it is next to empty, so
-- that the tenant alone says which entry is meant. An index that begins with the
-- tenant serves two questions badly; one of an entity's entries begins with the
-- entity. And a plan that was made then must not be kept.
DROP INDEX audit_log_entity_idx;
-- list_audit.sql: the entries of one entity, in order.
CREATE INDEX audit_log_entity_idx
  ON audit_log (entity_id, entity_type, tenant_id, transition_number);
DO $$
DECLARE
  needs_membership CONSTANT boolean := NOT (
    SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  ALTER FUNCTION claim_unsealed_audit(integer)
    SET plan_cache_mode = force_custom_plan;
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
