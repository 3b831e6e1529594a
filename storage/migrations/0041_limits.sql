-- Limits of policies: what each counted of whom, over its sliding window.
--
-- A counter's row is its lock. Whoever is to count takes it first and reads in a
-- later statement: what a statement sees was settled before it began, not
-- before it got the lock.

-- One for each limit and subject (the agent, the tenant, the platform).
CREATE TABLE limit_counters (
  id bigint GENERATED ALWAYS AS IDENTITY,
  -- Null for a limit per platform, which counts all tenants.
  tenant_id uuid,
  -- The limit and its subject (engine/limit_book.h).
  key text NOT NULL,
  -- Of its entries, those that are past their window included. A sum of
  -- bigints, which may be none itself.
  total numeric NOT NULL DEFAULT 0,
  -- The latest time that it counted at, or was pruned at: no decision that
  -- reads it has an earlier one.
  counted_at timestamptz NOT NULL,
  CONSTRAINT limit_counters_pkey PRIMARY KEY (id),
  CONSTRAINT limit_counters_key_key UNIQUE (key),
  CONSTRAINT limit_counters_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT limit_counters_total_counts CHECK (total >= 0)
)
-- Every settlement that it counts rewrites its row, in place where there is
-- room.
WITH (fillfactor = 50);

-- What was counted, one row for all of a counter that passed at one time.
CREATE TABLE limit_entries (
  counter_id bigint NOT NULL,
  tenant_id uuid,
  at timestamptz NOT NULL,
  -- From then on it is outside the window.
  expires_at timestamptz NOT NULL,
  amount numeric NOT NULL,
  -- limit_totals(): the oldest of a counter.
  CONSTRAINT limit_entries_pkey PRIMARY KEY (counter_id, at),
  CONSTRAINT limit_entries_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT limit_entries_amount_counts CHECK (amount > 0)
);
-- prune_limits() and waiting_work(): those that are past their window.
CREATE INDEX limit_entries_expires_idx ON limit_entries (expires_at);

DO $$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['limit_counters', 'limit_entries'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY tenant_rows ON %I USING (tenant_id = ANY(('
      'SELECT NULLIF(current_setting(''intent.tenants'', true), '''')::uuid[]'
      ')::uuid[]))', table_name);
    EXECUTE format('CREATE POLICY definer_rows ON %I TO intent_definer '
                   'USING (true) WITH CHECK (true)', table_name);
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', table_name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I '
                   'TO intent_definer', table_name);
  END LOOP;
END
$$;

-- Refuses counters of tenants that are not the transaction's.
CREATE FUNCTION check_limit_tenants(tenant_ids uuid[]) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
  tenants CONSTANT uuid[] := coalesce(
    NULLIF(current_setting('intent.tenants', true), '')::uuid[], '{}');
BEGIN
  IF EXISTS (SELECT FROM unnest(tenant_ids) AS t (id)
             WHERE t.id IS NOT NULL AND t.id <> ALL (tenants)) THEN
    RAISE EXCEPTION 'a limit of another tenant'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;

-- The time up to which these counters count, the same for all, and what each
-- counted in its window up to then: later than the time less the window. Null
-- where that is no bigint. One that isn't there counted nothing.
CREATE FUNCTION limit_totals(limit_keys text[], tenant_ids uuid[],
                             window_micros bigint[])
RETURNS TABLE (key text, now_micros bigint, total bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  -- No timestamp is earlier than this one of the year 1.
  first_micros CONSTANT bigint := -62135596800000000;
  up_to bigint;
BEGIN
  PERFORM check_limit_tenants(tenant_ids);
  SELECT to_micros(greatest(engine_now(), max(c.counted_at))) INTO up_to
  FROM limit_counters AS c WHERE c.key = ANY (limit_keys);
  RETURN QUERY
    SELECT k.key, up_to,
           CASE WHEN t.total <= 9223372036854775807 THEN t.total::bigint END
    FROM unnest(limit_keys, tenant_ids, window_micros)
      AS k (key, tenant_id, window_micros)
    LEFT JOIN limit_counters AS c
      ON c.key = k.key AND c.tenant_id IS NOT DISTINCT FROM k.tenant_id
    CROSS JOIN LATERAL (
      SELECT coalesce(c.total, 0) - coalesce(sum(e.amount), 0) AS total
      FROM limit_entries AS e
      WHERE e.counter_id = c.id
        AND e.at <= from_micros(
              greatest(up_to - k.window_micros, first_micros))) AS t;
END
$$;

-- Locks the counters to the end of the transaction, in the order of their keys,
-- and makes those that are not there; then reads as limit_totals() does. The
-- policy locks come first (README.md, "Lock order").
CREATE FUNCTION lock_limits(limit_keys text[], tenant_ids uuid[],
                            window_micros bigint[])
RETURNS TABLE (key text, now_micros bigint, total bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  locked integer;
BEGIN
  PERFORM check_limit_tenants(tenant_ids);
  PERFORM settlement_policy_digests();
  -- Idle ones may be forgotten between the two statements.
  FOR tried IN 1..3 LOOP
    INSERT INTO limit_counters AS c (tenant_id, key, counted_at)
      SELECT k.tenant_id, k.key, engine_now()
      FROM unnest(limit_keys, tenant_ids) AS k (key, tenant_id)
      WHERE NOT EXISTS (SELECT FROM limit_counters AS o WHERE o.key = k.key)
      ORDER BY k.key COLLATE "C"
      ON CONFLICT ON CONSTRAINT limit_counters_key_key DO NOTHING;
    PERFORM FROM limit_counters AS c
      JOIN unnest(limit_keys, tenant_ids) AS k (key, tenant_id)
        ON c.key = k.key AND c.tenant_id IS NOT DISTINCT FROM k.tenant_id
      ORDER BY c.key COLLATE "C"
      FOR UPDATE OF c;
    GET DIAGNOSTICS locked = ROW_COUNT;
    EXIT WHEN locked = cardinality(limit_keys);
  END LOOP;
  IF locked <> cardinality(limit_keys) THEN
    RAISE EXCEPTION 'a counter was forgotten while it was to be locked'
      USING ERRCODE = 'serialization_failure';
  END IF;
  -- A statement of its own: what was settled while this one waited is seen.
  RETURN QUERY SELECT * FROM limit_totals(limit_keys, tenant_ids,
                                          window_micros);
END
$$;

-- Enters what was settled. The counters were locked by this transaction, and
-- nothing is entered before what they counted already.
CREATE FUNCTION count_limits(limit_keys text[], tenant_ids uuid[],
                             at_micros bigint[], window_micros bigint[],
                             amounts bigint[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  -- The end of the year 9999: what a window reaches beyond is never pruned.
  last_micros CONSTANT numeric := 253402300799000000;
  wanted integer;
  entered integer;
BEGIN
  PERFORM check_limit_tenants(tenant_ids);
  SELECT count(*) INTO wanted
  FROM (SELECT DISTINCT k.key, k.at_micros
        FROM unnest(limit_keys, at_micros) AS k (key, at_micros)) AS d;
  WITH counted AS (
    SELECT k.key, k.tenant_id, k.at_micros, min(k.window_micros) AS width,
           sum(k.amount) AS amount
    FROM unnest(limit_keys, tenant_ids, at_micros, window_micros, amounts)
      AS k (key, tenant_id, at_micros, window_micros, amount)
    GROUP BY k.key, k.tenant_id, k.at_micros
  ), updated AS (
    UPDATE limit_counters AS c
    SET total = c.total + s.amount, counted_at = from_micros(s.at_micros)
    FROM (SELECT t.key, t.tenant_id, max(t.at_micros) AS at_micros,
                 sum(t.amount) AS amount
          FROM counted AS t GROUP BY t.key, t.tenant_id) AS s
    WHERE c.key = s.key AND c.tenant_id IS NOT DISTINCT FROM s.tenant_id
      AND c.counted_at <= from_micros(s.at_micros)
    RETURNING c.id, c.key
  )
  INSERT INTO limit_entries AS e
    (counter_id, tenant_id, at, expires_at, amount)
  SELECT u.id, t.tenant_id, from_micros(t.at_micros),
         from_micros(least(t.at_micros + t.width::numeric,
                           last_micros)::bigint),
         t.amount
  FROM counted AS t
  JOIN updated AS u ON u.key = t.key
  ON CONFLICT ON CONSTRAINT limit_entries_pkey
    DO UPDATE SET amount = e.amount + EXCLUDED.amount;
  GET DIAGNOSTICS entered = ROW_COUNT;
  IF entered <> wanted THEN
    RAISE EXCEPTION 'a limit is counted that was not locked, or not in time'
      USING ERRCODE = 'check_violation';
  END IF;
END
$$;

-- Removes up to `count_max` entries that are past their window, of any tenant,
-- oldest first; returns how many. One engine at a time, the others do nothing.
CREATE FUNCTION prune_limits(count_max integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  due CONSTANT timestamptz := engine_now();
  counter_ids bigint[];
  pruned integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(7205759403792793604) THEN
    RETURN 0;
  END IF;
  SELECT array_agg(DISTINCT d.counter_id) INTO counter_ids
  FROM (SELECT e.counter_id FROM limit_entries AS e
        WHERE e.expires_at <= due ORDER BY e.expires_at
        LIMIT count_max) AS d;
  -- Of those that nobody decides by just now, before what is to go is looked at
  -- again; the others are for the next time.
  counter_ids := ARRAY(
    SELECT c.id FROM limit_counters AS c
    WHERE c.id = ANY (counter_ids)
    ORDER BY c.key COLLATE "C" FOR UPDATE SKIP LOCKED);
  WITH gone AS (
    DELETE FROM limit_entries AS e
    USING (SELECT o.counter_id, o.at FROM limit_entries AS o
           WHERE o.expires_at <= due AND o.counter_id = ANY (counter_ids)
           ORDER BY o.expires_at LIMIT count_max) AS d
    WHERE e.counter_id = d.counter_id AND e.at = d.at
    RETURNING e.counter_id, e.amount
  ), sums AS (
    SELECT g.counter_id, sum(g.amount) AS amount, count(*) AS entries
    FROM gone AS g GROUP BY g.counter_id
  ), updated AS (
    UPDATE limit_counters AS c
    SET total = c.total - s.amount, counted_at = greatest(c.counted_at, due)
    FROM sums AS s WHERE c.id = s.counter_id
  )
  SELECT coalesce(sum(s.entries), 0) INTO pruned FROM sums AS s;
  RETURN pruned;
END
$$;

-- Removes up to `count_max` counters that counted nothing for a day: of limits
-- and agents that are no more. Kept that long so that a clock that is set back
-- finds when they were pruned.
CREATE FUNCTION forget_limits(count_max integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  forgotten integer;
BEGIN
  DELETE FROM limit_counters AS c
  WHERE c.id = ANY (ARRAY(
    SELECT o.id FROM limit_counters AS o
    WHERE o.total = 0 AND o.counted_at < engine_now() - interval '1 day'
    ORDER BY o.id LIMIT count_max FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  RETURN forgotten;
END
$$;

-- As in 0040, and whether entries of limits are past their windows.
DROP FUNCTION waiting_work();
CREATE FUNCTION waiting_work()
RETURNS TABLE (has_drafts boolean, has_due_memos boolean,
               has_escalations boolean, has_expired_leases boolean,
               has_unsealed boolean, has_expired_limits boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  due_time CONSTANT timestamptz := engine_now();
BEGIN
  RETURN QUERY SELECT
    EXISTS (SELECT FROM intents AS i WHERE i.status = 'DRAFT'),
    EXISTS (SELECT FROM decision_memos AS m
            WHERE m.status = 'PROPOSED' AND m.intent_id IS NOT NULL
              AND m.expires_at <= due_time),
    EXISTS (
      SELECT FROM (SELECT DISTINCT r.tenant_id FROM escalation_rules AS r) AS t
      CROSS JOIN LATERAL (
        SELECT FROM decision_memos AS m
        WHERE m.tenant_id = t.tenant_id AND m.status = 'PROPOSED'
          AND m.intent_id IS NOT NULL AND m.policy_digest IS NOT NULL
          AND m.escalate_at <= due_time
        LIMIT 1) AS due),
    EXISTS (SELECT FROM jobs AS j
            WHERE j.status = 'running' AND j.intent_id IS NOT NULL
              AND j.lease_expires_at <= due_time),
    EXISTS (SELECT FROM audit_unsealed AS q WHERE q.missing_since IS NULL),
    EXISTS (SELECT FROM limit_entries AS e WHERE e.expires_at <= due_time);
END
$$;

DO $$
DECLARE
  needs_membership CONSTANT boolean := NOT (
    SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature regprocedure;
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  REVOKE ALL ON FUNCTION check_limit_tenants(uuid[]) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION check_limit_tenants(uuid[]) TO intent_definer;
  FOREACH signature IN ARRAY ARRAY[
    'limit_totals(text[], uuid[], bigint[])',
    'lock_limits(text[], uuid[], bigint[])',
    'count_limits(text[], uuid[], bigint[], bigint[], bigint[])',
    'prune_limits(integer)', 'forget_limits(integer)', 'waiting_work()'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime, %I',
                   signature, current_user);
  END LOOP;
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
