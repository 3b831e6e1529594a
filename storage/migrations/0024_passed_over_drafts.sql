-- A DRAFT whose update the database always refuses (somebody's trigger) heads
-- its tenant's DRAFTs for good. Engines pass over such a one for a while, so
-- that it does not stand in the others' way.

-- Replacing and handing over functions takes membership of their owner, and its
-- right to create here; both end with this migration.
DO $$
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
END
$$;

DROP FUNCTION claim_draft_intents(integer);

-- As in 0009, without those in `passed_over`. An engine from before this
-- migration names none.
CREATE FUNCTION claim_draft_intents(batch_size integer,
                                    passed_over uuid[] DEFAULT '{}')
RETURNS SETOF intent_rows
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  first_tenant CONSTANT uuid := gen_random_uuid();
  off_tenants CONSTANT uuid[] := ARRAY(
    SELECT s.switch_tenant_id FROM system_state AS s
    WHERE s.is_switched_off AND s.switch_tenant_id IS NOT NULL
      AND s.switch_agent_id IS NULL);
  -- Where some agents are off.
  split_tenants CONSTANT uuid[] := ARRAY(
    SELECT DISTINCT s.switch_tenant_id FROM system_state AS s
    WHERE s.is_switched_off AND s.switch_agent_id IS NOT NULL);
  off_agents uuid[];
  -- Tenants that may have more to give.
  waiting uuid[];
  still_waiting uuid[];
  visited integer;
  tenant uuid;
  share integer;
  claimed uuid[] := '{}';
  claimed_here uuid[];
  claimed_tenants uuid[] := '{}';
BEGIN
  IF NOT engine_enabled() THEN
    PERFORM set_config('intent.tenants', '', true);
    RETURN;
  END IF;
  -- Hops over the index from tenant to tenant instead of reading all DRAFTs.
  waiting := ARRAY(
    WITH RECURSIVE hop AS (
      (SELECT i.tenant_id FROM intents AS i WHERE i.status = 'DRAFT'
       ORDER BY i.tenant_id LIMIT 1)
      UNION ALL
      SELECT (SELECT i.tenant_id FROM intents AS i
              WHERE i.status = 'DRAFT' AND i.tenant_id > hop.tenant_id
              ORDER BY i.tenant_id LIMIT 1)
      FROM hop WHERE hop.tenant_id IS NOT NULL
    )
    SELECT hop.tenant_id FROM hop
    WHERE hop.tenant_id IS NOT NULL AND hop.tenant_id <> ALL (off_tenants)
    ORDER BY hop.tenant_id < first_tenant, hop.tenant_id
    LIMIT batch_size);
  WHILE cardinality(waiting) > 0 AND cardinality(claimed) < batch_size LOOP
    visited := 0;
    still_waiting := '{}';
    FOREACH tenant IN ARRAY waiting LOOP
      share := ceil((batch_size - cardinality(claimed))::numeric
                    / (cardinality(waiting) - visited));
      visited := visited + 1;
      CONTINUE WHEN share < 1;
      off_agents := '{}';
      IF tenant = ANY (split_tenants) THEN
        off_agents := ARRAY(
          SELECT s.switch_agent_id FROM system_state AS s
          WHERE s.is_switched_off AND s.switch_tenant_id = tenant
            AND s.switch_agent_id IS NOT NULL);
      END IF;
      -- What this transaction locked itself isn't skipped as locked.
      claimed_here := claim_of_tenant(tenant, share, claimed || passed_over,
                                      off_agents);
      CONTINUE WHEN cardinality(claimed_here) = 0;
      claimed := claimed || claimed_here;
      IF tenant <> ALL (claimed_tenants) THEN
        claimed_tenants := claimed_tenants || tenant;
      END IF;
      IF cardinality(claimed_here) = share THEN
        still_waiting := still_waiting || tenant;
      END IF;
    END LOOP;
    waiting := still_waiting;
  END LOOP;
  PERFORM set_config(
    'intent.tenants',
    CASE WHEN cardinality(claimed_tenants) = 0 THEN ''
         ELSE claimed_tenants::text END,
    true);
  RETURN QUERY
    SELECT r.* FROM intent_rows AS r
    WHERE r.id = ANY (claimed)
    ORDER BY r.created_at, r.id;
END
$$;

DO $$
DECLARE
  signature CONSTANT regprocedure := 'claim_draft_intents(integer, uuid[])';
BEGIN
  EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                 signature, current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
