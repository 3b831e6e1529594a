-- The system tenant: home of the platform's operators and of those who vote on
-- what concerns all tenants. It is a tenant like any other to row-level
-- security; what is special about it is who is a member.
DO $$
DECLARE
  system_tenant CONSTANT uuid := '00000000-0000-0000-0000-000000000001';
BEGIN
  -- The tables are closed to their owner too.
  PERFORM set_config('intent.tenants', ARRAY[system_tenant]::text, true);
  BEGIN
    INSERT INTO tenants (id, slug, name, seat)
    VALUES (system_tenant, 'system', 'System', 'enterprise');
  EXCEPTION
    WHEN unique_violation THEN
      RAISE EXCEPTION 'there is a tenant `system` already: the slug is the '
        'platform''s own from here on, so rename that tenant and deploy again'
        USING ERRCODE = 'unique_violation';
  END;
  INSERT INTO audit_log (tenant_id, actor_external_id, actor_type, level,
                         action, entity_type, entity_id, meta)
  VALUES (system_tenant, 'migration', 'system', 'security', 'TENANT_CREATED',
          'tenant', system_tenant, jsonb_build_object('slug', 'system'));
  PERFORM set_config('intent.tenants', '', true);
END
$$;

-- Kill switches: rows of system_state whose value holds `engine_enabled`.
-- `atlas_online` is the platform's, `tenant:<id>:atlas_online` a tenant's,
-- `tenant:<id>:agent:<id>:atlas_online` an agent's. Existing systems write them
-- with plain SQL, so all that follows works for whoever writes.

-- Whether a row switches something off: true for any value but one that says
-- `"engine_enabled": true`; null for keys that are no switch.
CREATE FUNCTION switch_is_off(key text, value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN key = 'atlas_online'
      OR key ~* ('^tenant:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
                 '(:agent:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?'
                 ':atlas_online$')
    THEN (value -> 'engine_enabled' = 'true'::jsonb) IS NOT TRUE
  END
$$;

-- Whose switch a key is; null where it is the platform's, or none.
CREATE FUNCTION switch_tenant(key text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
  SELECT CASE WHEN switch_is_off(key, 'null') AND key <> 'atlas_online'
              THEN substr(key, 8, 36)::uuid END
$$;

CREATE FUNCTION switch_agent(key text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
  SELECT CASE WHEN switch_is_off(key, 'null') AND key ~* '^tenant:.{36}:agent:'
              THEN substr(key, 51, 36)::uuid END
$$;

ALTER TABLE system_state
  ADD COLUMN is_switched_off boolean
    GENERATED ALWAYS AS (switch_is_off(key, value)) STORED,
  ADD COLUMN switch_tenant_id uuid
    GENERATED ALWAYS AS (switch_tenant(key)) STORED,
  ADD COLUMN switch_agent_id uuid
    GENERATED ALWAYS AS (switch_agent(key)) STORED,
  -- Since when it is as it is, who made it so and why. A trigger's to write.
  ADD COLUMN switched_at timestamptz,
  ADD COLUMN switched_by text,
  ADD COLUMN switch_reason text;
-- What is off, looked up by every claim, vote and settlement.
CREATE INDEX system_state_off_idx
  ON system_state (switch_tenant_id, switch_agent_id) WHERE is_switched_off;
-- kill_switches().
CREATE INDEX system_state_switch_idx
  ON system_state (switch_tenant_id, switch_agent_id)
  WHERE is_switched_off IS NOT NULL;

-- Claims where some of a tenant's agents are off: the others', each agent's
-- oldest first, without a look at what waits for those (claim_of_tenant()).
CREATE INDEX intents_draft_agent_idx
  ON intents
    (tenant_id,
     coalesce(agent_id, '00000000-0000-0000-0000-000000000000'::uuid),
     created_at, id)
  WHERE status = 'DRAFT';

-- Keeps since when, who and why. intent_definer says itself who and why
-- (set_kill_switch); for everybody else it is the role that logged in.
CREATE FUNCTION system_state_before_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
  was_off boolean := false;
  is_off CONSTANT boolean := coalesce(switch_is_off(NEW.key, NEW.value), false);
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.key = OLD.key THEN
    was_off := coalesce(switch_is_off(OLD.key, OLD.value), false);
    NEW.switched_at := OLD.switched_at;
  ELSE
    NEW.switched_at := NULL;
  END IF;
  IF is_off <> was_off THEN
    NEW.switched_at := engine_now();
  END IF;
  IF current_user = 'intent_definer' THEN
    RETURN NEW;
  END IF;
  IF is_off <> was_off THEN
    NEW.switched_by := 'sql:' || session_user;
    NEW.switch_reason := left(NEW.value ->> 'reason', 1000);
  ELSIF TG_OP = 'UPDATE' THEN
    NEW.switched_by := OLD.switched_by;
    NEW.switch_reason := OLD.switch_reason;
  ELSE
    NEW.switched_by := NULL;
    NEW.switch_reason := NULL;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER system_state_before_write
  BEFORE INSERT OR UPDATE ON system_state
  FOR EACH ROW EXECUTE FUNCTION system_state_before_write();

-- The entry of one switch that was set, and the engines' wake-up where there
-- may be work again. A key can name a tenant that there isn't.
CREATE FUNCTION note_switch(key text, is_off boolean, actor_user uuid,
                            actor_external text, reason text)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
DECLARE
  agent CONSTANT uuid := switch_agent(key);
  tenant CONSTANT uuid :=
    (SELECT t.id FROM tenants AS t WHERE t.id = switch_tenant(key));
BEGIN
  INSERT INTO audit_log (tenant_id, actor_user_id, actor_external_id,
                         actor_type, level, action, entity_type, entity_id,
                         meta)
  VALUES (tenant, actor_user, actor_external,
          CASE WHEN actor_user IS NULL THEN 'system' ELSE 'user' END,
          'security', 'KILL_SWITCH_SET', 'kill_switch',
          coalesce(agent, tenant),
          jsonb_build_object(
            'level', CASE WHEN agent IS NOT NULL THEN 'agent'
                          WHEN switch_tenant(key) IS NOT NULL THEN 'tenant'
                          ELSE 'platform' END,
            'key', key, 'engine_enabled', NOT is_off, 'reason', reason));
  IF NOT is_off THEN
    PERFORM pg_notify('intent_draft', '');
  END IF;
END
$$;
REVOKE ALL ON FUNCTION note_switch(text, boolean, uuid, text, text)
  FROM PUBLIC;

-- The same for whoever writes the table itself.
CREATE FUNCTION system_state_after_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  was_off boolean := false;
  is_off boolean := false;
  actor CONSTANT text := 'sql:' || session_user;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    was_off := coalesce(OLD.is_switched_off, false);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    is_off := coalesce(NEW.is_switched_off, false);
  END IF;
  IF TG_OP = 'UPDATE' AND NEW.key <> OLD.key THEN
    IF was_off THEN
      PERFORM note_switch(OLD.key, false, NULL, actor, NULL);
    END IF;
    was_off := false;
  END IF;
  IF is_off <> was_off AND TG_OP = 'DELETE' THEN
    PERFORM note_switch(OLD.key, false, NULL, actor, NULL);
  ELSIF is_off <> was_off THEN
    PERFORM note_switch(NEW.key, is_off, NULL, actor, NEW.switch_reason);
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER system_state_after_write
  AFTER INSERT OR UPDATE OR DELETE ON system_state
  FOR EACH ROW WHEN (current_user <> 'intent_definer')
  EXECUTE FUNCTION system_state_after_write();

-- Which level is off for this agent (or for what no agent asked for): the
-- widest of `platform`, `tenant` and `agent`; null where it may go on.
CREATE FUNCTION off_level(tenant uuid, agent uuid) RETURNS text
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
  SELECT CASE WHEN s.switch_tenant_id IS NULL THEN 'platform'
              WHEN s.switch_agent_id IS NULL THEN 'tenant'
              ELSE 'agent' END
  FROM system_state AS s
  WHERE s.is_switched_off
    AND (s.switch_tenant_id IS NULL
         OR (s.switch_tenant_id = tenant
             AND (s.switch_agent_id IS NULL OR s.switch_agent_id = agent)))
  ORDER BY s.switch_tenant_id NULLS FIRST, s.switch_agent_id NULLS FIRST
  LIMIT 1
$$;
REVOKE ALL ON FUNCTION off_level(uuid, uuid) FROM PUBLIC;

-- The same for whoever is about to act on an intent. Shares the settlement lock
-- (the policy lock of 0006) to the end of the transaction and reads after it
-- has it, so that await_settlements() waits for what comes of it.
CREATE FUNCTION switched_off(tenant uuid, agent uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7205759403792793601);
  IF tenant = ANY (
       NULLIF(current_setting('intent.tenants', true), '')::uuid[]) THEN
    RETURN off_level(tenant, agent);
  END IF;
  RETURN off_level(NULL, NULL);
END
$$;

-- The same for a batch: answers one of the intents that may not be settled
-- now, with the level; nothing where all may.
CREATE FUNCTION settlement_switched_off(wanted uuid[])
RETURNS TABLE (intent_id uuid, level text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7205759403792793601);
  IF NOT EXISTS (SELECT FROM system_state AS s WHERE s.is_switched_off) THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT i.id, o.level
    FROM intents AS i,
         LATERAL (SELECT off_level(i.tenant_id, i.agent_id)) AS o (level)
    WHERE i.id = ANY (wanted)
      AND i.tenant_id = ANY (
        NULLIF(current_setting('intent.tenants', true), '')::uuid[])
      AND o.level IS NOT NULL
    LIMIT 1;
END
$$;

-- Sets a switch, with its entry: the platform's where no tenant is named, which
-- is the system tenant's to do; a tenant's; an agent's. Answers false where that
-- tenant or agent isn't there. Other spellings of the key get the same value.
CREATE FUNCTION set_kill_switch(tenant uuid, agent uuid, enabled boolean,
                                reason text, actor_user uuid,
                                actor_external text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  allowed CONSTANT uuid[] :=
    NULLIF(current_setting('intent.tenants', true), '')::uuid[];
  actor CONSTANT text := CASE
    WHEN actor_user IS NULL
    THEN coalesce(NULLIF(actor_external, ''), 'sql:' || session_user) END;
  by_whom CONSTANT text := coalesce(actor, 'user:' || actor_user);
  wanted_key CONSTANT text := CASE
    WHEN tenant IS NULL THEN 'atlas_online'
    WHEN agent IS NULL THEN 'tenant:' || tenant || ':atlas_online'
    ELSE 'tenant:' || tenant || ':agent:' || agent || ':atlas_online' END;
  wanted_value CONSTANT jsonb := jsonb_build_object('engine_enabled', enabled);
BEGIN
  IF coalesce(reason, '') = '' OR length(reason) > 1000 THEN
    RAISE EXCEPTION 'a kill switch is set with a reason of 1 to 1000 characters'
      USING ERRCODE = 'check_violation';
  END IF;
  IF coalesce(tenant, '00000000-0000-0000-0000-000000000001')
     <> ALL (coalesce(allowed, '{}')) THEN
    RAISE EXCEPTION 'this switch is not the transaction''s to set'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF (tenant IS NOT NULL
      AND NOT EXISTS (SELECT FROM tenants AS t WHERE t.id = tenant))
     OR (agent IS NOT NULL
         AND NOT EXISTS (SELECT FROM agent_registry AS a
                         WHERE a.tenant_id = tenant AND a.id = agent)) THEN
    RETURN false;
  END IF;
  INSERT INTO system_state AS s
    (key, tenant_id, value, switched_by, switch_reason)
  VALUES (wanted_key, tenant, wanted_value, by_whom, reason)
  ON CONFLICT (key) DO UPDATE
    SET value = CASE jsonb_typeof(s.value)
                  WHEN 'object' THEN s.value || EXCLUDED.value
                  ELSE EXCLUDED.value END,
        updated_at = engine_now(),
        switched_by = EXCLUDED.switched_by,
        switch_reason = EXCLUDED.switch_reason;
  UPDATE system_state AS s
  SET value = wanted_value, updated_at = engine_now(),
      switched_by = by_whom, switch_reason = reason
  WHERE s.key <> wanted_key
    AND s.is_switched_off IS NOT NULL
    AND s.switch_tenant_id = tenant
    AND s.switch_agent_id IS NOT DISTINCT FROM agent;
  PERFORM note_switch(wanted_key, NOT enabled, actor_user, actor, reason);
  RETURN true;
END
$$;

-- The switches that anybody ever set, of the transaction's tenants, and the
-- platform's; for the system tenant everybody's. Newest first, in pages.
CREATE FUNCTION kill_switches(only_off boolean, one_level text,
                              one_tenant uuid, one_agent uuid,
                              after_time timestamptz, after_id uuid,
                              row_limit integer)
RETURNS TABLE (
  id uuid, level text, tenant_id uuid, tenant_slug text, agent_id uuid,
  agent_name text, engine_enabled boolean, reason text, set_by text,
  set_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  WITH allowed AS (
    SELECT coalesce(
      NULLIF(current_setting('intent.tenants', true), '')::uuid[], '{}') AS ids
  ), switch AS (
    SELECT md5(s.key)::uuid AS id, s.*,
           coalesce(s.switched_at, s.updated_at) AS set_at
    FROM system_state AS s, allowed
    WHERE s.is_switched_off IS NOT NULL
      AND (s.is_switched_off OR NOT only_off)
      AND (one_tenant IS NULL OR s.switch_tenant_id = one_tenant)
      AND (one_agent IS NULL OR s.switch_agent_id = one_agent)
      AND (one_level IS NULL
           OR one_level = CASE WHEN s.switch_tenant_id IS NULL THEN 'platform'
                               WHEN s.switch_agent_id IS NULL THEN 'tenant'
                               ELSE 'agent' END)
      AND (s.switch_tenant_id IS NULL
           OR s.switch_tenant_id = ANY (allowed.ids)
           OR '00000000-0000-0000-0000-000000000001' = ANY (allowed.ids))
  )
  SELECT w.id,
         CASE WHEN w.switch_tenant_id IS NULL THEN 'platform'
              WHEN w.switch_agent_id IS NULL THEN 'tenant'
              ELSE 'agent' END,
         w.switch_tenant_id, t.slug, w.switch_agent_id, a.name,
         NOT w.is_switched_off, w.switch_reason, w.switched_by, w.set_at
  FROM switch AS w
  LEFT JOIN tenants AS t ON t.id = w.switch_tenant_id
  LEFT JOIN agent_registry AS a
    ON a.tenant_id = w.switch_tenant_id AND a.id = w.switch_agent_id
  WHERE after_time IS NULL OR (w.set_at, w.id) < (after_time, after_id)
  ORDER BY w.set_at DESC, w.id DESC
  LIMIT row_limit
$$;

-- Locks up to `share` of a tenant's DRAFTs that are free and not in `taken`,
-- oldest first. Where some of its agents are off, the others take turns, each
-- with its own oldest first, so that nothing that must wait is looked at. For
-- claim_draft_intents() alone.
CREATE FUNCTION claim_of_tenant(tenant uuid, share integer, taken uuid[],
                                off_agents uuid[])
RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
DECLARE
  nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  first_agent CONSTANT uuid := gen_random_uuid();
  waiting uuid[];
  still_waiting uuid[];
  visited integer;
  agent uuid;
  agent_share integer;
  claimed uuid[] := '{}';
  claimed_here uuid[];
BEGIN
  IF cardinality(off_agents) = 0 THEN
    RETURN ARRAY(
      SELECT i.id FROM intents AS i
      WHERE i.status = 'DRAFT' AND i.tenant_id = tenant
        AND i.id <> ALL (taken)
      ORDER BY i.tenant_id, i.created_at, i.id
      LIMIT share
      FOR UPDATE SKIP LOCKED);
  END IF;
  -- From agent to agent over the index, as from tenant to tenant below.
  waiting := ARRAY(
    WITH RECURSIVE hop AS (
      (SELECT coalesce(i.agent_id, nobody) AS agent_id FROM intents AS i
       WHERE i.status = 'DRAFT' AND i.tenant_id = tenant
       ORDER BY i.tenant_id,
         coalesce(i.agent_id, '00000000-0000-0000-0000-000000000000'::uuid)
       LIMIT 1)
      UNION ALL
      SELECT (SELECT coalesce(i.agent_id, nobody) FROM intents AS i
              WHERE i.status = 'DRAFT' AND i.tenant_id = tenant
                AND coalesce(i.agent_id,
                             '00000000-0000-0000-0000-000000000000'::uuid)
                    > hop.agent_id
              ORDER BY i.tenant_id,
                coalesce(i.agent_id,
                         '00000000-0000-0000-0000-000000000000'::uuid)
              LIMIT 1)
      FROM hop WHERE hop.agent_id IS NOT NULL
    )
    SELECT hop.agent_id FROM hop
    WHERE hop.agent_id IS NOT NULL AND hop.agent_id <> ALL (off_agents)
    ORDER BY hop.agent_id < first_agent, hop.agent_id
    LIMIT share);
  WHILE cardinality(waiting) > 0 AND cardinality(claimed) < share LOOP
    visited := 0;
    still_waiting := '{}';
    FOREACH agent IN ARRAY waiting LOOP
      agent_share := ceil((share - cardinality(claimed))::numeric
                          / (cardinality(waiting) - visited));
      visited := visited + 1;
      CONTINUE WHEN agent_share < 1;
      claimed_here := ARRAY(
        SELECT i.id FROM intents AS i
        WHERE i.status = 'DRAFT' AND i.tenant_id = tenant
          AND coalesce(i.agent_id,
                       '00000000-0000-0000-0000-000000000000'::uuid) = agent
          AND i.id <> ALL (taken) AND i.id <> ALL (claimed)
        ORDER BY i.tenant_id,
          coalesce(i.agent_id, '00000000-0000-0000-0000-000000000000'::uuid),
          i.created_at, i.id
        LIMIT agent_share
        FOR UPDATE SKIP LOCKED);
      claimed := claimed || claimed_here;
      IF cardinality(claimed_here) = agent_share THEN
        still_waiting := still_waiting || agent;
      END IF;
    END LOOP;
    waiting := still_waiting;
  END LOOP;
  RETURN claimed;
END
$$;
REVOKE ALL ON FUNCTION claim_of_tenant(uuid, integer, uuid[], uuid[])
  FROM PUBLIC;

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

-- As in 0006, with what is off left out: tenants at once, agents by
-- claim_of_tenant().
CREATE OR REPLACE FUNCTION claim_draft_intents(batch_size integer)
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
      claimed_here := claim_of_tenant(tenant, share, claimed, off_agents);
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

GRANT INSERT, UPDATE ON system_state TO intent_definer;

DO $$
DECLARE
  signature regprocedure;
BEGIN
  FOREACH signature IN ARRAY ARRAY[
    'switched_off(uuid, uuid)', 'settlement_switched_off(uuid[])',
    'set_kill_switch(uuid, uuid, boolean, text, uuid, text)',
    'kill_switches(boolean, text, uuid, uuid, timestamptz, uuid, integer)'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                   signature, current_user);
  END LOOP;
  FOREACH signature IN ARRAY ARRAY[
    'system_state_after_write()', 'off_level(uuid, uuid)',
    'note_switch(text, boolean, uuid, text, text)',
    'claim_of_tenant(uuid, integer, uuid[], uuid[])'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
