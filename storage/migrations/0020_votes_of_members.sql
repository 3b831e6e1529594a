-- Who was removed from a tenant has no say in its policy any more.

-- Replacing functions takes membership of their owner, and its right to create
-- here; both end with this migration.
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

-- As in 0013, but for removed members: their row stays, and with it the role
-- that they had.
CREATE OR REPLACE FUNCTION activate_approved_policy(wanted_intent uuid,
                                                    last_voter uuid)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  system_tenant CONSTANT uuid := '00000000-0000-0000-0000-000000000001';
  intent record;
  old_digest text;
  new_policy uuid;
  approvers uuid[];
BEGIN
  SELECT i.agent_id, i.revision, i.payload_sha256,
         i.payload_raw::jsonb ->> 'digest' AS digest,
         i.payload_raw::jsonb ->> 'replaces' AS replaces
  INTO intent
  FROM intents AS i
  WHERE i.id = wanted_intent AND i.tenant_id = system_tenant
    AND i.intent_type = 'SGL_POLICY_ACTIVATE'
    AND i.status = 'AWAITING_HUMAN'
    AND system_tenant = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
  FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'not_an_activation';
  END IF;
  approvers := ARRAY(
    SELECT DISTINCT v.approved_by
    FROM approvals AS v
    JOIN tenant_members AS m
      ON m.tenant_id = v.tenant_id AND m.user_id = v.approved_by
     AND m.removed_at IS NULL
     AND (m.returned_at IS NULL OR v.created_at >= m.returned_at)
    WHERE v.tenant_id = system_tenant AND v.intent_id = wanted_intent
      AND v.verdict = 'APPROVE' AND v.revision = intent.revision
      AND v.payload_hash = intent.payload_sha256
      AND (v.expires_at IS NULL OR v.expires_at > engine_now())
      AND (m.role = 'policy' OR EXISTS (
        SELECT FROM member_roles AS r
        WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id
          AND r.role = 'policy'))
      AND v.approved_by NOT IN (
        SELECT c.causer FROM intent_causers(wanted_intent) AS c (causer)));
  IF cardinality(approvers) < 2 THEN
    RETURN 'unapproved';
  END IF;
  PERFORM pg_advisory_xact_lock(7205759403792793601);
  IF off_level(system_tenant, intent.agent_id) IS NOT NULL THEN
    RETURN 'switched_off';
  END IF;
  old_digest := active_policy_digest();
  SELECT p.id INTO new_policy FROM policies AS p
  WHERE p.tenant_id IS NULL AND p.digest = intent.digest;
  IF new_policy IS NULL THEN
    RETURN 'unknown';
  ELSIF old_digest = intent.digest THEN
    RETURN 'unchanged';
  ELSIF coalesce(old_digest, '') IS DISTINCT FROM intent.replaces THEN
    RETURN 'replaced';
  END IF;
  PERFORM replace_active_policy(
    NULL, new_policy, intent.digest, old_digest, last_voter, NULL,
    wanted_intent, 'security',
    jsonb_build_object('intent_id', wanted_intent, 'approvers', approvers));
  RETURN 'activated';
END
$$;

CREATE OR REPLACE FUNCTION activate_tenant_policy(
  new_tenant uuid, new_digest text, actor_user uuid)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  old_digest text;
  new_policy uuid;
BEGIN
  IF new_tenant = ANY (
       NULLIF(current_setting('intent.tenants', true), '')::uuid[])
     IS NOT TRUE
     OR new_tenant = '00000000-0000-0000-0000-000000000001'
     OR NOT EXISTS (
       SELECT FROM tenant_members AS m
       WHERE m.tenant_id = new_tenant AND m.user_id = actor_user
         AND m.removed_at IS NULL
         AND (m.role = 'policy' OR EXISTS (
           SELECT FROM member_roles AS r
           WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id
             AND r.role = 'policy'))) THEN
    RETURN 'forbidden';
  END IF;
  SELECT p.digest INTO old_digest
  FROM active_policies AS a
  JOIN policies AS p ON p.id = a.policy_id
  WHERE a.tenant_id = new_tenant;
  SELECT p.id INTO new_policy FROM policies AS p
  WHERE p.tenant_id = new_tenant AND p.digest = new_digest;
  IF new_policy IS NULL THEN
    RETURN 'unknown';
  ELSIF old_digest = new_digest THEN
    RETURN 'unchanged';
  END IF;
  PERFORM replace_active_policy(new_tenant, new_policy, new_digest, old_digest,
                                actor_user, NULL, NULL, 'warn', '{}');
  RETURN 'activated';
END
$$;

DO $$
BEGIN
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF NOT (SELECT r.rolsuper FROM pg_roles AS r
          WHERE r.rolname = current_user) THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
