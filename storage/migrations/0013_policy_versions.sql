-- Policy versions: who proposed them and what the server's check and tests
-- made of them, a layer of its own for each tenant, and who may make which
-- version the active one:
--
--   the platform's   two people of the system tenant holding the role `policy`,
--                    by their votes on an intent (activate_approved_policy)
--   a tenant's       a member of it holding that role, alone: a layer can only
--                    tighten (activate_tenant_policy)
--   the first        whoever starts the engine with --policy, where nothing is
--                    active (seed_policy)
--   in an emergency  the tables' owner, on DIRECT_URL (activate_policy)

ALTER TABLE policies
  ADD COLUMN description text NOT NULL DEFAULT '',
  -- The person who proposed it; null where that was no person.
  ADD COLUMN author_user_id uuid,
  -- What checking and testing it said then: {"rules": ..., "warnings": ...,
  -- "tests": ..., "failed_tests": ..., "obstacle": ...}.
  ADD COLUMN report json NOT NULL DEFAULT '{}',
  ADD CONSTRAINT policies_author_fkey
    FOREIGN KEY (author_user_id) REFERENCES app_users (id),
  ADD CONSTRAINT policies_description_length
    CHECK (length(description) <= 5000);
-- policy_versions().
CREATE INDEX policies_list_idx
  ON policies (tenant_id, created_at DESC, id DESC);

ALTER TABLE active_policies
  ADD COLUMN activated_by uuid,
  -- Who it was where that is no person.
  ADD COLUMN activated_by_external text,
  -- The intent that was approved; null where none was needed.
  ADD COLUMN intent_id uuid,
  ADD CONSTRAINT active_policies_actor_fkey
    FOREIGN KEY (activated_by) REFERENCES app_users (id);

-- The files of a version, by name.
CREATE FUNCTION policy_file_names(sources json) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY(SELECT s.name
               FROM json_to_recordset(sources) AS s (name text, text text)
               ORDER BY s.name, s.text)
$$;
CREATE FUNCTION policy_file_texts(sources json) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY(SELECT s.text
               FROM json_to_recordset(sources) AS s (name text, text text)
               ORDER BY s.name, s.text)
$$;

-- LOCK ORDER of what follows: an activation of the platform's takes the policy
-- lock alone; a settlement, and an activation of a tenant's, share it and then
-- take the locks of tenants, by key: a settlement shares those of the
-- transaction's tenants, the activation takes its tenant's alone. Nobody takes
-- the policy lock twice, in two modes, in one transaction.
CREATE FUNCTION tenant_policy_lock_key(wanted_tenant uuid) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT hashtext(wanted_tenant::text) $$;

-- For a settlement: the platform's active digest (the row without a tenant),
-- and those of the transaction's tenants that have a layer of their own. Reads
-- after it has the locks, in a statement of its own, so that no activation can
-- come between the reading and the commit.
CREATE FUNCTION settlement_policy_digests()
RETURNS TABLE (tenant_id uuid, digest text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  tenants CONSTANT uuid[] :=
    NULLIF(current_setting('intent.tenants', true), '')::uuid[];
  lock_key integer;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7205759403792793601);
  FOR lock_key IN
    SELECT DISTINCT tenant_policy_lock_key(t.id)
    FROM unnest(tenants) AS t (id) ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock_shared(1677721601, lock_key);
  END LOOP;
  RETURN QUERY
    SELECT a.tenant_id, p.digest
    FROM active_policies AS a
    JOIN policies AS p ON p.id = a.policy_id
    WHERE a.tenant_id IS NULL OR a.tenant_id = ANY (tenants);
END
$$;

-- The layers that are active for the transaction's tenants: their digests,
-- and the files of those that are wanted.
CREATE FUNCTION active_layers(with_files_of text[])
RETURNS TABLE (tenant_id uuid, tenant_slug text, digest text, names text[],
               texts text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT a.tenant_id, t.slug, p.digest,
         CASE WHEN p.digest = ANY (with_files_of)
              THEN policy_file_names(p.sources) ELSE '{}' END,
         CASE WHEN p.digest = ANY (with_files_of)
              THEN policy_file_texts(p.sources) ELSE '{}' END
  FROM active_policies AS a
  JOIN policies AS p ON p.id = a.policy_id
  JOIN tenants AS t ON t.id = a.tenant_id
  WHERE a.tenant_id = ANY (
    NULLIF(current_setting('intent.tenants', true), '')::uuid[])
$$;

-- One page of the tenants that have a layer, with its files, by id: who decides
-- on the platform's rules sees whose layers would not fit them. For the system
-- tenant alone.
CREATE FUNCTION all_active_layers(after_tenant uuid, row_limit integer)
RETURNS TABLE (tenant_id uuid, tenant_slug text, digest text, names text[],
               texts text[])
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT a.tenant_id, t.slug, p.digest, policy_file_names(p.sources),
         policy_file_texts(p.sources)
  FROM active_policies AS a
  JOIN policies AS p ON p.id = a.policy_id
  JOIN tenants AS t ON t.id = a.tenant_id
  WHERE '00000000-0000-0000-0000-000000000001' = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
    AND (after_tenant IS NULL OR a.tenant_id > after_tenant)
  ORDER BY a.tenant_id
  LIMIT row_limit
$$;

-- Versions as lists and readers see them: the platform's where wanted_tenant
-- is null, else that tenant's, which must be one of the transaction's. Who is
-- not of the system tenant sees the platform's active version only.
CREATE FUNCTION policy_versions(wanted_tenant uuid, wanted_id uuid,
                                wanted_digest text, only_active boolean,
                                after_micros bigint, after_id uuid,
                                row_limit integer, with_files boolean)
RETURNS TABLE (
  id uuid, tenant_id uuid, digest text, names text[], texts text[],
  author text, author_user_id uuid, description text, report text,
  created_micros bigint,
  is_active boolean, activated_micros bigint, activated_by uuid,
  activated_by_external text, intent_id uuid
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT p.id, p.tenant_id, p.digest,
         CASE WHEN with_files THEN policy_file_names(p.sources) ELSE '{}' END,
         CASE WHEN with_files THEN policy_file_texts(p.sources) ELSE '{}' END,
         p.author, p.author_user_id, p.description, p.report::text,
         to_micros(p.created_at), a.policy_id IS NOT NULL,
         to_micros(a.activated_at), a.activated_by, a.activated_by_external,
         a.intent_id
  FROM policies AS p
  LEFT JOIN active_policies AS a ON a.policy_id = p.id
  CROSS JOIN (
    SELECT coalesce(
      NULLIF(current_setting('intent.tenants', true), '')::uuid[], '{}')
  ) AS caller (tenants)
  WHERE p.tenant_id IS NOT DISTINCT FROM wanted_tenant
    AND CASE
          WHEN wanted_tenant IS NOT NULL THEN wanted_tenant = ANY (tenants)
          WHEN '00000000-0000-0000-0000-000000000001' = ANY (tenants) THEN true
          ELSE a.policy_id IS NOT NULL AND cardinality(tenants) > 0
        END
    AND (wanted_id IS NULL OR p.id = wanted_id)
    AND (wanted_digest IS NULL OR p.digest = wanted_digest)
    AND (NOT only_active OR a.policy_id IS NOT NULL)
    AND (after_micros IS NULL
         OR (p.created_at, p.id) < (from_micros(after_micros), after_id))
  ORDER BY p.created_at DESC, p.id DESC
  LIMIT row_limit
$$;

-- Stores a version with its POLICY_PROPOSED entry; answers false, and changes
-- nothing, where these files are there already. The platform's (no tenant) is
-- for a transaction of the system tenant, a tenant's for one of that tenant.
CREATE FUNCTION propose_policy(
  new_tenant uuid, new_digest text, names text[], texts text[],
  new_author text, actor_user uuid, actor_external text,
  new_description text, new_report text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  home CONSTANT uuid :=
    coalesce(new_tenant, '00000000-0000-0000-0000-000000000001');
  new_policy uuid;
BEGIN
  IF home = ANY (NULLIF(current_setting('intent.tenants', true), '')::uuid[])
     IS NOT TRUE THEN
    RAISE EXCEPTION 'a policy version of another tenant'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO policies (tenant_id, digest, sources, author, author_user_id,
                        description, report)
  SELECT new_tenant, new_digest,
         coalesce(json_agg(json_build_object('name', s.name, 'text', s.text)
                           ORDER BY s.name),
                  '[]'),
         new_author, actor_user, new_description, new_report::json
  FROM unnest(names, texts) AS s (name, text)
  ON CONFLICT (tenant_id, digest) DO NOTHING
  RETURNING id INTO new_policy;
  IF new_policy IS NULL THEN
    RETURN false;
  END IF;
  INSERT INTO audit_log (tenant_id, actor_user_id, actor_external_id,
                         actor_type, level, action, entity_type, entity_id,
                         meta)
  VALUES (new_tenant, actor_user, NULLIF(actor_external, ''),
          CASE WHEN actor_user IS NULL THEN 'system' ELSE 'user' END,
          'info', 'POLICY_PROPOSED', 'policy', new_policy,
          jsonb_build_object('digest', new_digest));
  RETURN true;
END
$$;

-- What every activation of the platform's does once it may. The caller holds
-- the policy lock alone.
CREATE FUNCTION replace_active_policy(
  new_tenant uuid, new_policy uuid, new_digest text, old_digest text,
  actor_user uuid, actor_external text, new_intent uuid, entry_level text,
  entry_meta jsonb)
RETURNS void
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
  INSERT INTO active_policies (tenant_id, policy_id, activated_by,
                               activated_by_external, intent_id)
  VALUES (new_tenant, new_policy, actor_user, NULLIF(actor_external, ''),
          new_intent)
  ON CONFLICT (tenant_id) DO UPDATE
    SET policy_id = EXCLUDED.policy_id, activated_at = engine_now(),
        activated_by = EXCLUDED.activated_by,
        activated_by_external = EXCLUDED.activated_by_external,
        intent_id = EXCLUDED.intent_id;
  INSERT INTO audit_log (tenant_id, actor_user_id, actor_external_id,
                         actor_type, level, action, entity_type, entity_id,
                         meta)
  VALUES (new_tenant, actor_user, NULLIF(actor_external, ''),
          CASE WHEN actor_user IS NULL THEN 'system' ELSE 'user' END,
          entry_level::"AuditLevel", 'POLICY_ACTIVATED', 'policy', new_policy,
          jsonb_build_object('digest', new_digest, 'replaced', old_digest)
            || entry_meta);
  SELECT pg_notify('policy_activated', coalesce(new_tenant::text, new_digest));
$$;

-- Makes a stored set of the platform the active one, whatever is: for the
-- tables' owner alone (`intentd dev`, and --break-glass with its reason, which
-- makes the entry a security one). Answers `activated`, `unchanged`, `unknown`.
CREATE FUNCTION force_policy(new_digest text, actor_external text, reason text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  old_digest text;
  new_policy uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(7205759403792793601);
  old_digest := active_policy_digest();
  SELECT p.id INTO new_policy FROM policies AS p
  WHERE p.tenant_id IS NULL AND p.digest = new_digest;
  IF new_policy IS NULL THEN
    RETURN 'unknown';
  ELSIF old_digest = new_digest THEN
    RETURN 'unchanged';
  END IF;
  PERFORM replace_active_policy(
    NULL, new_policy, new_digest, old_digest, NULL, actor_external, NULL,
    CASE WHEN reason = '' THEN 'warn' ELSE 'security' END,
    CASE WHEN reason = '' THEN '{}'::jsonb
         ELSE jsonb_build_object('break_glass', true, 'reason', reason) END);
  RETURN 'activated';
END
$$;

-- The same where nothing is active yet. Answers `activated`, `unchanged`,
-- `unknown`, `occupied`.
CREATE FUNCTION seed_policy(new_digest text, actor_external text)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  old_digest text;
  new_policy uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(7205759403792793601);
  old_digest := active_policy_digest();
  SELECT p.id INTO new_policy FROM policies AS p
  WHERE p.tenant_id IS NULL AND p.digest = new_digest;
  IF new_policy IS NULL THEN
    RETURN 'unknown';
  ELSIF old_digest = new_digest THEN
    RETURN 'unchanged';
  ELSIF old_digest IS NOT NULL THEN
    RETURN 'occupied';
  END IF;
  PERFORM replace_active_policy(NULL, new_policy, new_digest, NULL, NULL,
                                actor_external, NULL, 'warn', '{}');
  RETURN 'activated';
END
$$;

-- Who caused an intent and so may not vote on it: who the token it was
-- submitted with stands for and, for an activation, who proposed the version.
-- For intents of the transaction's tenants.
CREATE FUNCTION intent_causers(wanted_intent uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT t.user_id
  FROM intents AS i
  JOIN api_tokens AS t
    ON t.tenant_id = i.tenant_id AND t.id = i.submitted_by_token
  WHERE i.id = wanted_intent AND t.user_id IS NOT NULL
    AND i.tenant_id = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
  UNION
  SELECT p.author_user_id
  FROM intents AS i
  JOIN policies AS p
    ON p.tenant_id IS NULL
    AND p.digest = coalesce(i.payload_raw::jsonb, i.payload) ->> 'digest'
  WHERE i.id = wanted_intent AND p.author_user_id IS NOT NULL
    AND i.intent_type = 'SGL_POLICY_ACTIVATE'
    AND i.tenant_id = '00000000-0000-0000-0000-000000000001'
    AND i.tenant_id = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
$$;

-- switched_off() for a vote on an activation: without the lock that it would
-- share. activate_approved_policy() asks again.
CREATE FUNCTION activation_switched_off(agent uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$ SELECT off_level('00000000-0000-0000-0000-000000000001', agent) $$;

-- The effect of an approved SGL_POLICY_ACTIVATE. Counts the votes itself, so
-- that not even who holds the engine's role gets past them by calling it: two
-- different people who hold the role `policy` in the system tenant now, voted
-- for this revision and this payload, and did not cause the intent. The caller
-- holds the locks of the intent and its memo; this waits for the settlements
-- that are under way and keeps new ones waiting until the commit.
--
-- Answers `activated`, or why not: `not_an_activation`, `unapproved`,
-- `switched_off` by a kill switch since the vote began, `unknown`, `replaced` where another version is active than the one that the
-- intent says it replaces, `unchanged` where this one is.
CREATE FUNCTION activate_approved_policy(wanted_intent uuid, last_voter uuid)
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
  SELECT i.revision, i.payload_sha256,
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
  IF off_level(system_tenant, NULL) IS NOT NULL THEN
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

-- Takes a tenant's policy lock alone and shares the platform's, so that neither
-- changes until the transaction ends: what a layer is checked against is what
-- it is activated against. For a tenant of the transaction.
CREATE FUNCTION lock_tenant_policy(wanted_tenant uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  platform_digest text;
BEGIN
  IF wanted_tenant = ANY (
       NULLIF(current_setting('intent.tenants', true), '')::uuid[])
     IS NOT TRUE THEN
    RAISE EXCEPTION 'the policy lock of another tenant'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7205759403792793601);
  PERFORM pg_advisory_xact_lock(1677721601,
                                tenant_policy_lock_key(wanted_tenant));
  SELECT active_policy_digest() INTO platform_digest;
  RETURN platform_digest;
END
$$;

-- Makes a stored version of a tenant of the transaction its active layer.
-- `actor_user` must be a member of it who holds the role `policy`. Answers
-- `activated`, `unchanged`, `unknown`, `forbidden`.
-- REQUIRES: lock_tenant_policy in this transaction.
CREATE FUNCTION activate_tenant_policy(new_tenant uuid, new_digest text,
                                       actor_user uuid)
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

-- Locks up to batch_size DRAFTs that are decided without any policy, so that
-- they move on where none is active or the active one does not compile. Sets
-- intent.tenants as claim_draft_intents does.
CREATE FUNCTION claim_policy_activations(batch_size integer)
RETURNS SETOF intent_rows
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  system_tenant CONSTANT uuid := '00000000-0000-0000-0000-000000000001';
  claimed uuid[] := '{}';
BEGIN
  IF off_level(system_tenant, NULL) IS NULL THEN
    claimed := ARRAY(
      SELECT i.id FROM intents AS i
      WHERE i.status = 'DRAFT' AND i.tenant_id = system_tenant
        AND i.intent_type = 'SGL_POLICY_ACTIVATE'
        AND off_level(system_tenant, i.agent_id) IS NULL
      ORDER BY i.created_at, i.id
      LIMIT batch_size
      FOR UPDATE SKIP LOCKED);
  END IF;
  PERFORM set_config(
    'intent.tenants',
    CASE WHEN cardinality(claimed) = 0 THEN ''
         ELSE ARRAY[system_tenant]::text END,
    true);
  RETURN QUERY
    SELECT r.* FROM intent_rows AS r
    WHERE r.id = ANY (claimed)
    ORDER BY r.created_at, r.id;
END
$$;

DO $$
DECLARE
  needs_membership boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature regprocedure;
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  FOREACH signature IN ARRAY ARRAY[
    'settlement_policy_digests()', 'active_layers(text[])',
    'all_active_layers(uuid, integer)',
    'policy_versions(uuid,uuid,text,boolean,bigint,uuid,integer,boolean)',
    'propose_policy(uuid, text, text[], text[], text, uuid, text, text, text)',
    'seed_policy(text, text)', 'intent_causers(uuid)',
    'activation_switched_off(uuid)',
    'activate_approved_policy(uuid, uuid)', 'lock_tenant_policy(uuid)',
    'activate_tenant_policy(uuid, text, uuid)',
    'claim_policy_activations(integer)'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                   signature, current_user);
  END LOOP;
  FOREACH signature IN ARRAY ARRAY[
    'force_policy(text, text, text)',
    'replace_active_policy(uuid,uuid,text,text,uuid,text,uuid,text,jsonb)'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', signature,
                   current_user);
  END LOOP;
  -- Replaced by the functions above; no way past the votes may be left.
  DROP FUNCTION activate_policy(text, boolean, uuid, text);
  DROP FUNCTION settlement_policy_digest();
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
