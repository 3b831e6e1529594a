-- The rows as the engine reads them, and the short list of functions that
-- cross tenants. Each of those runs as intent_definer, which has policies of
-- its own; nobody logs in as it, and its owner rights are taken only for the
-- length of this migration.

-- One place that says which columns the engine reads, in which order
-- (intents.cc). Reads with the rights of whoever asks.
CREATE VIEW intent_rows WITH (security_invoker = true) AS
SELECT
  i.id,
  i.tenant_id,
  i.agent_id,
  i.intent_type,
  i.status,
  coalesce(i.payload_raw, intent_payload_text(i.payload)) AS payload,
  i.payload_sha256,
  i.revision,
  i.spend_micros_usd,
  i.data_class,
  i.requested_by,
  i.title,
  i.rationale,
  i.decision,
  i.sgl_result,
  i.policy_digest,
  i.decision_memo_id,
  i.job_id,
  i.failure_reason,
  i.failure_message,
  i.output,
  i.request_id,
  i.submitted_by_token,
  i.transition_number,
  to_micros(i.created_at) AS created_micros,
  to_micros(i.updated_at) AS updated_micros,
  i.created_at
FROM intents AS i;

-- The same for memos (memos.cc), with what a voter must see of the intent.
CREATE VIEW memo_rows WITH (security_invoker = true) AS
SELECT
  m.id,
  m.tenant_id,
  m.intent_id,
  m.agent,
  m.title,
  m.rationale,
  m.estimated_cost_micros_usd,
  m.risk_tier,
  m.status,
  m.resolution,
  m.demands,
  m.reasons,
  m.revision,
  m.payload_sha256,
  m.policy_digest,
  to_micros(m.expires_at) AS expires_micros,
  m.status = 'PROPOSED' AND coalesce(m.expires_at <= engine_now(), false)
    AS expired,
  to_micros(m.created_at) AS created_micros,
  to_micros(m.updated_at) AS updated_micros,
  i.intent_type,
  coalesce(i.payload_raw, intent_payload_text(i.payload)) AS payload,
  i.rationale AS intent_rationale,
  i.data_class,
  i.requested_by,
  m.created_at
FROM decision_memos AS m
JOIN intents AS i ON i.tenant_id = m.tenant_id AND i.id = m.intent_id;

REVOKE ALL ON intent_rows, memo_rows FROM PUBLIC;
GRANT SELECT ON intent_rows, memo_rows TO intent_runtime, intent_definer;
-- SELECT ... FOR UPDATE on a view locks the rows below it.
GRANT UPDATE ON intent_rows TO intent_runtime;

-- The kill switch. A missing key means on; a malformed one means off.
CREATE FUNCTION engine_enabled() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT coalesce(
    (SELECT coalesce(s.value -> 'engine_enabled' = 'true'::jsonb, false)
     FROM system_state AS s
     WHERE s.key = 'atlas_online'),
    true)
$$;

-- Who a token stands for; nothing for one that is unknown, expired or revoked.
CREATE FUNCTION look_up_token(wanted_sha256 text)
RETURNS TABLE (
  tenant_id uuid, tenant_slug text, principal_kind text, agent_id uuid,
  user_id uuid, name text, token_id uuid, roles text[], expires_micros bigint
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT
    t.tenant_id, n.slug, t.principal_kind, t.agent_id, t.user_id,
    coalesce(a.name, u.name, u.email, t.name),
    t.id,
    ARRAY(
      SELECT m.role FROM tenant_members AS m
      WHERE m.tenant_id = t.tenant_id AND m.user_id = t.user_id
      UNION
      SELECT r.role FROM member_roles AS r
      WHERE r.tenant_id = t.tenant_id AND r.user_id = t.user_id
      ORDER BY 1),
    to_micros(t.expires_at)
  FROM api_tokens AS t
  JOIN tenants AS n ON n.id = t.tenant_id
  LEFT JOIN agent_registry AS a
    ON a.tenant_id = t.tenant_id AND a.id = t.agent_id
  LEFT JOIN app_users AS u ON u.id = t.user_id
  WHERE t.token_sha256 = wanted_sha256
    AND t.revoked_at IS NULL
    AND (t.expires_at IS NULL OR t.expires_at > engine_now())
$$;

-- Who issued a token of one of the transaction's tenants: that person may not
-- vote on what it submitted. Runs as its owner because tokens are closed to the
-- engine, and so checks the tenant itself.
CREATE FUNCTION token_issuer(wanted_token uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT t.issued_by FROM api_tokens AS t
  WHERE t.id = wanted_token
    AND t.tenant_id = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
$$;

-- Locks up to batch_size DRAFTs that nobody else holds and answers them, each
-- tenant's oldest first. Every tenant that has any gets an equal share of what
-- is left of the batch, and what some leave goes round again. Where there are
-- more tenants than places, the round starts at a random one, so that each gets
-- its turn. Sets intent.tenants to the tenants claimed, for the rest of the
-- transaction.
--
-- Locking, reading the tenants and reading the rows are statements of their
-- own on purpose: a planner may run a SKIP LOCKED sub-select twice, and a later
-- statement sees what was committed before the lock was had.
CREATE FUNCTION claim_draft_intents(batch_size integer)
RETURNS SETOF intent_rows
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  first_tenant CONSTANT uuid := gen_random_uuid();
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
    SELECT hop.tenant_id FROM hop WHERE hop.tenant_id IS NOT NULL
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
      -- What this transaction locked itself isn't skipped as locked.
      claimed_here := ARRAY(
        SELECT i.id FROM intents AS i
        WHERE i.status = 'DRAFT' AND i.tenant_id = tenant
          AND i.id <> ALL (claimed)
        ORDER BY i.tenant_id, i.created_at, i.id
        LIMIT share
        FOR UPDATE SKIP LOCKED);
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

-- Locks up to batch_size open memos past their expiry, the intent before its
-- memo, skipping what others hold; answers the memos' ids. Sets intent.tenants
-- as above.
CREATE FUNCTION due_memos(batch_size integer) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  due_time CONSTANT timestamptz := engine_now();
  locked_intents uuid[];
  locked_memos uuid[];
  locked_tenants uuid[];
BEGIN
  locked_intents := ARRAY(
    SELECT i.id FROM intents AS i
    WHERE i.status = 'AWAITING_HUMAN'
      AND i.id = ANY (ARRAY(
        SELECT m.intent_id FROM decision_memos AS m
        WHERE m.status = 'PROPOSED' AND m.expires_at <= due_time
        ORDER BY m.expires_at
        LIMIT batch_size))
    ORDER BY i.id
    FOR UPDATE SKIP LOCKED);
  locked_memos := ARRAY(
    SELECT m.id FROM decision_memos AS m
    WHERE m.intent_id = ANY (locked_intents)
      AND m.status = 'PROPOSED' AND m.expires_at <= due_time
    ORDER BY m.id
    FOR UPDATE);
  locked_tenants := ARRAY(
    SELECT DISTINCT m.tenant_id FROM decision_memos AS m
    WHERE m.id = ANY (locked_memos));
  PERFORM set_config(
    'intent.tenants',
    CASE WHEN cardinality(locked_tenants) = 0 THEN ''
         ELSE locked_tenants::text END,
    true);
  RETURN QUERY SELECT unnest(locked_memos);
END
$$;

-- How many intents wait: for metrics.
CREATE FUNCTION count_waiting_intents()
RETURNS TABLE (status text, intent_count bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT i.status, count(*) FROM intents AS i
  WHERE i.status = 'DRAFT' GROUP BY i.status
  UNION ALL
  SELECT 'AWAITING_HUMAN', count(*) FROM decision_memos AS m
  WHERE m.status = 'PROPOSED'
$$;

-- The digest of the platform's active policy set; null where there is none.
CREATE FUNCTION active_policy_digest() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT p.digest
  FROM active_policies AS a
  JOIN policies AS p ON p.id = a.policy_id
  WHERE a.tenant_id IS NULL
$$;

-- The same for a settlement: shares a lock with other settlements until the
-- transaction ends, and reads after it has the lock, in a statement of its own,
-- so that no activation can come between the reading and the commit.
CREATE FUNCTION settlement_policy_digest() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  digest text;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(7205759403792793601);
  SELECT p.digest INTO digest
  FROM active_policies AS a
  JOIN policies AS p ON p.id = a.policy_id
  WHERE a.tenant_id IS NULL;
  RETURN digest;
END
$$;

CREATE FUNCTION active_policy()
RETURNS TABLE (digest text, source_name text, source_text text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT p.digest, s.name, s.text
  FROM active_policies AS a
  JOIN policies AS p ON p.id = a.policy_id
  LEFT JOIN LATERAL json_to_recordset(p.sources) AS s (name text, text text)
    ON true
  WHERE a.tenant_id IS NULL
  ORDER BY s.name
$$;

-- Stores a set of the platform; one with that digest stays as it is.
CREATE FUNCTION store_policy(new_digest text, names text[], texts text[],
                             new_author text)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  INSERT INTO policies (digest, sources, author)
  SELECT new_digest,
         coalesce(json_agg(json_build_object('name', s.name, 'text', s.text)
                           ORDER BY s.name),
                  '[]'),
         new_author
  FROM unnest(names, texts) AS s (name, text)
  ON CONFLICT (tenant_id, digest) DO NOTHING
$$;

-- Makes a stored set the active one, alone: waits for the settlements that are
-- under way. Answers `activated`, `unchanged`, `unknown`, or `occupied` where
-- only a first activation was wanted.
CREATE FUNCTION activate_policy(new_digest text, only_first boolean,
                                actor_user uuid, actor_external text)
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
  ELSIF only_first AND old_digest IS NOT NULL THEN
    RETURN 'occupied';
  END IF;
  INSERT INTO active_policies (tenant_id, policy_id)
  VALUES (NULL, new_policy)
  ON CONFLICT (tenant_id) DO UPDATE
    SET policy_id = EXCLUDED.policy_id, activated_at = engine_now();
  INSERT INTO audit_log (actor_user_id, actor_external_id, actor_type, level,
                         action, entity_type, entity_id, meta)
  VALUES (actor_user, NULLIF(actor_external, ''),
          CASE WHEN actor_user IS NULL THEN 'system' ELSE 'user' END,
          'warn', 'POLICY_ACTIVATED', 'policy', new_policy,
          jsonb_build_object('digest', new_digest, 'replaced', old_digest));
  PERFORM pg_notify('policy_activated', new_digest);
  RETURN 'activated';
END
$$;

-- For operators on DIRECT_URL, whose rows are as closed to the tables' owner.
CREATE FUNCTION tenant_id_by_slug(wanted_slug text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$ SELECT t.id FROM tenants AS t WHERE t.slug = wanted_slug $$;

-- Handing functions over takes membership of the new owner, and its right to
-- create here; both end with this migration.
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
    'engine_enabled()', 'look_up_token(text)', 'token_issuer(uuid)',
    'claim_draft_intents(integer)', 'due_memos(integer)',
    'count_waiting_intents()', 'active_policy_digest()',
    'settlement_policy_digest()', 'active_policy()',
    'store_policy(text, text[], text[], text)',
    'activate_policy(text, boolean, uuid, text)'
  ]::regprocedure[] LOOP
    -- The owner first: a change of owner hands the old one's grants on.
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                   signature, current_user);
  END LOOP;
  ALTER FUNCTION tenant_id_by_slug(text) OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION tenant_id_by_slug(text) FROM PUBLIC;
  EXECUTE format('GRANT EXECUTE ON FUNCTION tenant_id_by_slug(text) TO %I',
                 current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;

-- Partitions are the table owner's to make, and the engine's tick's to ask for.
GRANT EXECUTE ON FUNCTION make_audit_partitions TO intent_runtime;
