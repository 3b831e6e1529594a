-- What intents may change of their tenant itself: its name, which people read.
-- Slug and seat stay with operators.
GRANT UPDATE (name) ON tenants TO intent_runtime;
COMMENT ON CONSTRAINT tenants_name_length ON tenants IS
  '`name` has at most 200 characters';
COMMENT ON CONSTRAINT tenants_slug_length ON tenants IS
  '`slug` has 1 to 100 characters';
COMMENT ON CONSTRAINT tenants_slug_key ON tenants IS
  'another tenant has this `slug`';
COMMENT ON CONSTRAINT system_state_tenant_key ON system_state IS
  'a key that names a tenant is that tenant''s';

-- The agents that intents switched off, and by which transaction: what is
-- settled by the same one, the agent's own intents among it, is settled by what
-- held before.
CREATE TABLE switch_orders (
  tenant_id uuid NOT NULL,
  intent_id uuid NOT NULL,
  agent_id uuid NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT engine_now(),
  xact_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT switch_orders_pkey PRIMARY KEY (tenant_id, intent_id),
  CONSTRAINT switch_orders_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT switch_orders_agent_fkey
    FOREIGN KEY (tenant_id, agent_id)
    REFERENCES agent_registry (tenant_id, id),
  CONSTRAINT switch_orders_reason_length
    CHECK (length(reason) BETWEEN 1 AND 1000)
);
COMMENT ON CONSTRAINT switch_orders_tenant_fkey ON switch_orders IS
  'the tenant is gone';
COMMENT ON CONSTRAINT switch_orders_agent_fkey ON switch_orders IS
  '`agent_id` names no agent of this tenant';
COMMENT ON CONSTRAINT switch_orders_reason_length ON switch_orders IS
  '`reason` has 1 to 1,000 characters';
COMMENT ON CONSTRAINT switch_orders_pkey ON switch_orders IS
  'this intent has switched an agent off already';
ALTER TABLE switch_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE switch_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON switch_orders USING (tenant_id = ANY((
  SELECT NULLIF(current_setting('intent.tenants', true), '')::uuid[])::uuid[]));
REVOKE ALL ON switch_orders FROM PUBLIC;
GRANT SELECT, INSERT ON switch_orders TO intent_runtime;
CREATE TRIGGER switch_orders_refuse_change
  BEFORE UPDATE OR DELETE ON switch_orders
  FOR EACH ROW EXECUTE FUNCTION insert_only_refuse_change();
CREATE TRIGGER switch_orders_refuse_truncate
  BEFORE TRUNCATE ON switch_orders
  FOR EACH STATEMENT EXECUTE FUNCTION insert_only_refuse_change();

CREATE POLICY definer_rows ON switch_orders TO intent_definer USING (true);
GRANT SELECT ON switch_orders TO intent_definer;
-- settlement_switched_off().
CREATE INDEX switch_orders_agent_idx
  ON switch_orders (tenant_id, agent_id, xact_id);

-- As in 0009, but for agents that this very transaction switches off.
DROP FUNCTION settlement_switched_off(uuid[]);
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
      AND NOT (o.level = 'agent' AND EXISTS (
        SELECT FROM switch_orders AS w
        WHERE w.tenant_id = i.tenant_id AND w.agent_id = i.agent_id
          AND w.xact_id = pg_current_xact_id()))
    LIMIT 1;
END
$$;

DO $$
DECLARE
  needs_membership CONSTANT boolean := NOT (
    SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature CONSTANT regprocedure := 'settlement_switched_off(uuid[])';
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
  EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                 signature, current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
