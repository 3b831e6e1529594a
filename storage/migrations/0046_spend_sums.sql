-- What a budget has left is asked with every spend, under its lock: the sum of
-- a period's spends, kept in quarters of an hour, so that a million of them
-- cost no more than a hundred.

-- Of a category's committed spends those that are marked as summed, by the
-- quarter of an hour (UTC) that they count for.
CREATE TABLE spend_sums (
  tenant_id uuid NOT NULL,
  category text NOT NULL,
  starts_at timestamptz NOT NULL,
  committed_micros numeric NOT NULL,
  CONSTRAINT spend_sums_pkey PRIMARY KEY (tenant_id, category, starts_at),
  CONSTRAINT spend_sums_tenant_fkey
    FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CONSTRAINT spend_sums_positive CHECK (committed_micros > 0)
);
ALTER TABLE spend_sums ENABLE ROW LEVEL SECURITY;
ALTER TABLE spend_sums FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON spend_sums USING (tenant_id = ANY((
  SELECT NULLIF(current_setting('intent.tenants', true), '')::uuid[])::uuid[]));
REVOKE ALL ON spend_sums FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE (committed_micros) ON spend_sums
  TO intent_runtime;

ALTER TABLE intent_spends
  ADD COLUMN is_summed boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT intent_spends_summed_once_committed
    CHECK (NOT is_summed OR status = 'committed');
GRANT UPDATE (is_summed) ON intent_spends TO intent_runtime;

-- budget_states(): what no sum has yet, and the part of a quarter of an hour
-- that a period begins or ends in. last_spend_at() both.
DROP INDEX intent_spends_counted_idx;
CREATE INDEX intent_spends_unsummed_idx
  ON intent_spends (tenant_id, category, counted_at)
  INCLUDE (spend_micros_usd, status) WHERE status <> 'released' AND NOT is_summed;
CREATE INDEX intent_spends_summed_idx
  ON intent_spends (tenant_id, category, counted_at)
  INCLUDE (spend_micros_usd) WHERE is_summed;

-- The quarter of an hour that holds `at`.
CREATE FUNCTION spend_sum_start(at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
  SELECT date_bin(interval '15 minutes', at,
                  timestamptz '2000-01-01 00:00:00+00')
$$;

-- A spend ends once and is summed once, and nothing else of it changes.
CREATE OR REPLACE FUNCTION intent_spends_before_update() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF NOT (OLD.status = 'reserved' AND NEW.status <> 'reserved'
          AND NOT NEW.is_summed
          OR OLD.status = 'committed' AND NOT OLD.is_summed AND NEW.is_summed
             AND (NEW.status, NEW.ended_at) = (OLD.status, OLD.ended_at))
     OR (NEW.tenant_id, NEW.intent_id, NEW.category, NEW.spend_micros_usd,
         NEW.counted_at)
        IS DISTINCT FROM
        (OLD.tenant_id, OLD.intent_id, OLD.category, OLD.spend_micros_usd,
         OLD.counted_at) THEN
    RAISE EXCEPTION 'the spend of intent % is % and only ends', OLD.intent_id,
      OLD.status
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

-- To be summed is not to be committed again.
DROP TRIGGER intent_spends_enter ON intent_spends;
CREATE TRIGGER intent_spends_enter
  AFTER INSERT ON intent_spends
  FOR EACH ROW WHEN (NEW.status = 'committed')
  EXECUTE FUNCTION intent_spends_enter();
CREATE TRIGGER intent_spends_enter_late
  AFTER UPDATE OF status ON intent_spends
  FOR EACH ROW WHEN (NEW.status = 'committed' AND OLD.status <> 'committed')
  EXECUTE FUNCTION intent_spends_enter();

-- As in 0042, from the sums. All in one statement, so of one snapshot: a spend
-- is in a sum or beside it, never both. In plpgsql, which keeps its plans: they
-- take longer to make than to run.
CREATE OR REPLACE FUNCTION budget_states(tenant_ids uuid[], categories text[],
                                         at timestamptz)
RETURNS TABLE (id uuid, tenant_id uuid, name text, category text,
               limit_micros numeric, committed_micros numeric,
               reserved_micros numeric, alert_at numeric,
               period_start timestamptz, period_end timestamptz)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT b.id, b.tenant_id, b.name, b.category,
         b.limit_cents::numeric * 10000, coalesce(s.committed, 0),
         coalesce(s.reserved, 0), b.alert_at, p.starts, e.ends
  FROM (SELECT DISTINCT k.tenant_id, k.category
        FROM unnest(tenant_ids, categories) AS k (tenant_id, category)) AS k
  JOIN budgets AS b
    ON b.tenant_id = k.tenant_id AND b.category = k.category
  CROSS JOIN LATERAL (
    -- An existing writer may have any created_at.
    SELECT budget_period_start(
      coalesce(b.period_starts_at,
               least(greatest(b.created_at,
                              timestamptz '0001-01-01 00:00:00+00'),
                     timestamptz '9999-12-31 00:00:00+00')),
      b.period_days, at)) AS p (starts)
  CROSS JOIN LATERAL (
    SELECT p.starts + b.period_days * interval '24 hours') AS e (ends)
  -- The whole quarters between: a period has a day at least.
  CROSS JOIN LATERAL (
    SELECT spend_sum_start(p.starts + interval '15 minutes'
                           - interval '1 microsecond'),
           spend_sum_start(e.ends)) AS w (starts, ends)
  CROSS JOIN LATERAL (
    SELECT sum(c.committed), sum(c.reserved)
    FROM (SELECT sum(q.committed_micros), 0::numeric
          FROM spend_sums AS q
          WHERE q.tenant_id = b.tenant_id AND q.category = b.category
            AND q.starts_at >= w.starts AND q.starts_at < w.ends
          UNION ALL
          SELECT sum(s.spend_micros_usd) FILTER (WHERE s.status = 'committed'),
                 sum(s.spend_micros_usd) FILTER (WHERE s.status = 'reserved')
          FROM intent_spends AS s
          WHERE s.tenant_id = b.tenant_id AND s.category = b.category
            AND s.status <> 'released' AND NOT s.is_summed
            AND s.counted_at >= p.starts AND s.counted_at < e.ends
          UNION ALL
          SELECT sum(s.spend_micros_usd), 0
          FROM intent_spends AS s
          WHERE s.tenant_id = b.tenant_id AND s.category = b.category
            AND s.is_summed
            AND s.counted_at >= p.starts AND s.counted_at < w.starts
          UNION ALL
          SELECT sum(s.spend_micros_usd), 0
          FROM intent_spends AS s
          WHERE s.tenant_id = b.tenant_id AND s.category = b.category
            AND s.is_summed
            AND s.counted_at >= w.ends AND s.counted_at < e.ends
         ) AS c (committed, reserved)
  ) AS s (committed, reserved);
END
$$;

-- As in 0042. Of each tenant and category the budget that has the least left: where there
-- are several, all of them hold. Bounded to what a bigint of micros holds with
-- room for one spend more.
CREATE OR REPLACE FUNCTION tightest_budgets(tenant_ids uuid[], categories text[],
                                 at timestamptz)
RETURNS TABLE (tenant_id uuid, category text, remaining_micros bigint,
               limit_micros bigint)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
BEGIN
  -- Most tenants have none, and submissions ask each time.
  IF NOT EXISTS (
    SELECT FROM budgets AS b
    WHERE (b.tenant_id, b.category) IN (
      SELECT k.tenant_id, k.category
      FROM unnest(tenant_ids, categories) AS k (tenant_id, category))) THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT DISTINCT ON (b.tenant_id, b.category) b.tenant_id, b.category,
         greatest(least(b.limit_micros - b.committed_micros - b.reserved_micros,
                        4e18), -4e18)::bigint,
         least(b.limit_micros, 4e18)::bigint
  FROM budget_states(tenant_ids, categories, at) AS b
  ORDER BY b.tenant_id, b.category,
           b.limit_micros - b.committed_micros - b.reserved_micros,
           b.limit_micros, b.id;
END
$$;

-- When a category was last spent of, or null.
CREATE FUNCTION last_spend_at(spend_tenant uuid, spend_category text)
RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $$
  SELECT greatest(
    (SELECT s.counted_at FROM intent_spends AS s
     WHERE s.tenant_id = spend_tenant AND s.category = spend_category
       AND s.status <> 'released' AND NOT s.is_summed
     ORDER BY s.counted_at DESC LIMIT 1),
    (SELECT s.counted_at FROM intent_spends AS s
     WHERE s.tenant_id = spend_tenant AND s.category = spend_category
       AND s.is_summed
     ORDER BY s.counted_at DESC LIMIT 1))
$$;

-- Sums the oldest committed spends of a category that no sum has, where there
-- are `few` of them or more: what is left beside the sums stays below that, but
-- for reservations. `many` bounds what one transaction carries for others. Who
-- calls it holds the locks of the category's budgets, so nobody else does it.
CREATE FUNCTION sum_spends(spend_tenant uuid, spend_category text)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
DECLARE
  few CONSTANT integer := 500;
  many CONSTANT integer := 2000;
  due CONSTANT uuid[] := ARRAY(
    SELECT s.intent_id FROM intent_spends AS s
    WHERE s.tenant_id = spend_tenant AND s.category = spend_category
      AND s.status <> 'released' AND NOT s.is_summed
      AND s.status = 'committed'
    ORDER BY s.counted_at LIMIT many);
BEGIN
  IF cardinality(due) < few THEN
    RETURN;
  END IF;
  WITH summed AS (
    UPDATE intent_spends AS s
    SET is_summed = true
    WHERE s.tenant_id = spend_tenant AND s.intent_id = ANY (due)
    RETURNING s.counted_at, s.spend_micros_usd
  )
  INSERT INTO spend_sums AS q (tenant_id, category, starts_at, committed_micros)
  SELECT spend_tenant, spend_category, spend_sum_start(s.counted_at),
         sum(s.spend_micros_usd)
  FROM summed AS s
  GROUP BY 3
  ON CONFLICT (tenant_id, category, starts_at) DO UPDATE
  SET committed_micros = q.committed_micros + excluded.committed_micros;
END
$$;

-- As in 0042, and sums what is due. Locks the tenants' budgets of these
-- categories until the transaction ends,
-- and answers what they hold then: each statement of this function reads anew,
-- so nothing that was spent before the lock was had is missed. Where no time is
-- given it is read after the lock too, and is never before the last spend: it is
-- the decisions' `now`. The locks of settlements come before these (README.md).
-- One row at least, for the time.
CREATE OR REPLACE FUNCTION lock_budgets(tenant_ids uuid[], categories text[],
                             at timestamptz)
RETURNS TABLE (tenant_id uuid, category text, remaining_micros bigint,
               limit_micros bigint, now_micros bigint)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
  decision_time timestamptz := at;
BEGIN
  PERFORM FROM settlement_policy_digests();
  -- No budget comes to a category, or leaves it, while somebody spends of it.
  PERFORM pg_advisory_xact_lock_shared(k.class, k.key)
  FROM (SELECT DISTINCT l.class, l.key
        FROM unnest(tenant_ids, categories) AS k (tenant_id, category)
        CROSS JOIN LATERAL budget_lock_key(k.tenant_id, k.category) AS l
        ORDER BY l.class, l.key) AS k;
  PERFORM FROM budgets AS b
  WHERE (b.tenant_id, b.category) IN (
    SELECT k.tenant_id, k.category
    FROM unnest(tenant_ids, categories) AS k (tenant_id, category))
  ORDER BY b.tenant_id, b.id
  FOR NO KEY UPDATE OF b;
  -- Only where there is a budget: it is its lock that keeps others out.
  PERFORM sum_spends(k.tenant_id, k.category)
  FROM (SELECT DISTINCT b.tenant_id, b.category
        FROM unnest(tenant_ids, categories) AS k (tenant_id, category)
        JOIN budgets AS b
          ON b.tenant_id = k.tenant_id AND b.category = k.category) AS k;
  IF decision_time IS NULL THEN
    SELECT greatest(engine_now(), max(last_spend_at(k.tenant_id, k.category)))
    INTO decision_time
    FROM unnest(tenant_ids, categories) AS k (tenant_id, category);
  END IF;
  RETURN QUERY
    SELECT t.tenant_id, t.category, t.remaining_micros, t.limit_micros,
           to_micros(decision_time)
    FROM (SELECT 1) AS one
    LEFT JOIN tightest_budgets(tenant_ids, categories, decision_time) AS t
      ON true;
END
$$;

DO $$
DECLARE
  signature regprocedure;
BEGIN
  FOREACH signature IN ARRAY ARRAY[
    'spend_sum_start(timestamptz)', 'last_spend_at(uuid, text)',
    'sum_spends(uuid, text)'
  ]::regprocedure[] LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO intent_runtime', signature);
  END LOOP;
END
$$;
