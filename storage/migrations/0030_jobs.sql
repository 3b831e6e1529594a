-- Jobs of intents: leased by workers, retried, ended together with the intent.
-- Jobs without an intent are other writers' own; the engine neither shows nor
-- leases those.

ALTER TABLE jobs
  -- Names the lease: new for each, so that no worker acts by one it lost. Kept
  -- once the job succeeded, to know a repeat.
  ADD COLUMN lease_token uuid,
  ADD COLUMN lease_expires_at timestamptz,
  -- `worker:<token id>` of the last lease.
  ADD COLUMN leased_by text,
  ADD CONSTRAINT jobs_running_is_leased
    CHECK (intent_id IS NULL OR status <> 'running'
           OR (lease_token IS NOT NULL AND lease_expires_at IS NOT NULL)),
  ADD CONSTRAINT jobs_waiting_is_not_leased
    CHECK (intent_id IS NULL OR status NOT IN ('queued', 'failed', 'canceled')
           OR lease_token IS NULL);

-- lease_jobs(): what is due of one type, in its order. A retry joins it when
-- its time has come, so that no lease walks those that wait.
CREATE INDEX jobs_due_idx
  ON jobs (tenant_id, job_type, priority DESC, created_at, id)
  WHERE status = 'queued' AND next_retry_at IS NULL AND intent_id IS NOT NULL;
-- lease_jobs() and leasable_jobs.sql: retries by their time.
CREATE INDEX jobs_retry_idx
  ON jobs (tenant_id, job_type, next_retry_at)
  WHERE status = 'queued' AND next_retry_at IS NOT NULL
    AND intent_id IS NOT NULL;
-- lease_jobs(): how many one tenant has running of a type.
CREATE INDEX jobs_running_idx
  ON jobs (tenant_id, job_type, lease_expires_at)
  WHERE status = 'running' AND intent_id IS NOT NULL;
-- expired_jobs().
CREATE INDEX jobs_lease_idx
  ON jobs (lease_expires_at)
  WHERE status = 'running' AND intent_id IS NOT NULL;
-- list_jobs.sql.
CREATE INDEX jobs_list_idx
  ON jobs (tenant_id, created_at DESC, id DESC) WHERE intent_id IS NOT NULL;

CREATE FUNCTION jobs_before_update() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  NEW.updated_at := engine_now();
  IF OLD.status IN ('succeeded', 'failed', 'canceled')
     AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'job % is over: % can''t become %',
      OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER jobs_before_update
  BEFORE UPDATE ON jobs
  FOR EACH ROW WHEN (OLD.intent_id IS NOT NULL)
  EXECUTE FUNCTION jobs_before_update();

-- As 0023 has it for intents: what an intent stands for is the engine's alone.
CREATE FUNCTION jobs_before_others_write() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
  IF (TG_OP <> 'INSERT' AND OLD.intent_id IS NOT NULL)
     OR (TG_OP <> 'DELETE' AND NEW.intent_id IS NOT NULL) THEN
    RAISE EXCEPTION 'jobs of intents are the engine''s to write: % refused',
      TG_OP
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER jobs_before_others_write
  BEFORE INSERT OR UPDATE OR DELETE ON jobs
  FOR EACH ROW WHEN (NOT writes_as_engine())
  EXECUTE FUNCTION jobs_before_others_write();

-- The jobs as the engine reads them (jobs.cc). The texts are the intent's own,
-- to the byte. Reads with the rights of whoever asks.
CREATE VIEW job_rows WITH (security_invoker = true) AS
SELECT
  j.id,
  j.tenant_id,
  j.intent_id,
  i.agent_id,
  j.job_type,
  j.status::text AS status,
  j.priority,
  i.payload_raw AS input,
  CASE WHEN j.status = 'succeeded' THEN i.output::text END AS output,
  j.error::text AS error,
  j.retry_count,
  j.max_retries,
  CASE WHEN j.status = 'queued' THEN to_micros(j.next_retry_at) END
    AS next_retry_micros,
  j.leased_by,
  CASE WHEN j.status = 'running' THEN to_micros(j.lease_expires_at) END
    AS lease_expires_micros,
  to_micros(j.created_at) AS created_micros,
  to_micros(j.updated_at) AS updated_micros,
  j.created_at
FROM jobs AS j
JOIN intents AS i ON i.tenant_id = j.tenant_id AND i.id = j.intent_id;

GRANT SELECT ON job_rows TO intent_runtime;

-- When a job that was retried so often is tried again: 10 s, doubled with each
-- retry before, and up to a quarter more, so that what failed together does not
-- come back together.
CREATE FUNCTION job_retry_time(retries integer) RETURNS timestamptz
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
  SELECT engine_now()
    + interval '10 seconds' * (2 ^ retries) * (1 + random() / 4)
$$;

-- Wakes workers that wait for such jobs, at the commit.
CREATE FUNCTION notify_job(tenant uuid, job_type text) RETURNS void
LANGUAGE sql VOLATILE
AS $$
  SELECT pg_notify('job_queued', tenant || ':' || job_type)
$$;

CREATE POLICY definer_rows ON jobs TO intent_definer
  USING (true) WITH CHECK (true);
-- Locking a row takes the right to update it.
GRANT SELECT, UPDATE ON jobs TO intent_definer;

-- A tenant's agents that are switched off, for a transaction of that tenant.
CREATE FUNCTION agents_switched_off(tenant uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  SELECT coalesce(array_agg(s.switch_agent_id), '{}')
  FROM system_state AS s
  WHERE s.is_switched_off
    AND s.switch_agent_id IS NOT NULL
    AND s.switch_tenant_id = tenant
    AND tenant = ANY (
      NULLIF(current_setting('intent.tenants', true), '')::uuid[])
$$;

-- Locks up to batch_size jobs of any tenant whose lease has ended, and their
-- intents before them, skipping what others hold. Sets the transaction's
-- tenants to theirs.
CREATE FUNCTION expired_jobs(batch_size integer) RETURNS SETOF uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
  due_time CONSTANT timestamptz := engine_now();
  locked_intents uuid[];
  locked_jobs uuid[];
  locked_tenants uuid[];
BEGIN
  locked_intents := ARRAY(
    SELECT i.id FROM jobs AS j
    JOIN intents AS i ON i.tenant_id = j.tenant_id AND i.id = j.intent_id
    WHERE j.status = 'running' AND j.intent_id IS NOT NULL
      AND j.lease_expires_at <= due_time
    ORDER BY j.lease_expires_at, j.id
    LIMIT batch_size
    FOR UPDATE OF i SKIP LOCKED);
  locked_jobs := ARRAY(
    SELECT j.id FROM jobs AS j
    WHERE j.intent_id = ANY (locked_intents)
      AND j.status = 'running' AND j.lease_expires_at <= due_time
    ORDER BY j.lease_expires_at, j.id
    FOR UPDATE SKIP LOCKED);
  locked_tenants := ARRAY(
    SELECT DISTINCT j.tenant_id FROM jobs AS j WHERE j.id = ANY (locked_jobs));
  PERFORM set_config(
    'intent.tenants',
    CASE WHEN cardinality(locked_tenants) = 0 THEN ''
         ELSE locked_tenants::text END,
    true);
  RETURN QUERY SELECT unnest(locked_jobs);
END
$$;

-- Leases what is due to one worker, with the entries: the highest priority
-- first, then the oldest, batch_size at most, and no more than bytes_max of
-- input unless the first alone is larger. Answers the jobs in that order, as
-- they are then: a statement around it would see them as they were.
--
-- Where a type has a cap, whoever leases of it stands in line at a lock and
-- counts in a statement after it, so that the cap holds exactly. A lease that
-- ended counts no more: nobody can act by it. Nothing is leased of what a kill
-- switch holds up; the switch is read under the settlement lock (0009).
--
-- Runs with the rights of who calls it, and so on the rows of the transaction's
-- tenant. The types' locks come before the jobs' and in one order.
CREATE FUNCTION lease_jobs(tenant uuid, job_types text[], caps integer[],
                           batch_size integer, bytes_max bigint,
                           lease_micros bigint, worker text)
RETURNS TABLE (job job_rows, lease_token uuid)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
-- In the order of jobs_due_idx, however few there were when it was planned.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  lock_class CONSTANT integer := 1246709363;
  -- Read once: an index can't be asked with what changes from row to row.
  due_time CONSTANT timestamptz := engine_now();
  off_agents uuid[];
  wanted record;
  room integer;
  candidates uuid[] := '{}';
  chosen uuid[];
BEGIN
  IF switched_off(tenant, NULL) IS NOT NULL THEN
    RETURN;
  END IF;
  off_agents := agents_switched_off(tenant);
  FOR wanted IN
    SELECT w.job_type, w.cap, hashtext(tenant || ':' || w.job_type) AS lock_key
    FROM unnest(job_types, caps) AS w (job_type, cap)
    ORDER BY 3, 1
  LOOP
    room := batch_size;
    IF wanted.cap IS NOT NULL THEN
      PERFORM pg_advisory_xact_lock(lock_class, wanted.lock_key);
      room := least(room, wanted.cap - (
        SELECT count(*) FROM jobs AS j
        WHERE j.tenant_id = tenant AND j.job_type = wanted.job_type
          AND j.status = 'running' AND j.intent_id IS NOT NULL
          AND j.lease_expires_at > engine_now()));
      CONTINUE WHEN room < 1;
    END IF;
    UPDATE jobs AS j SET next_retry_at = NULL
    WHERE j.id = ANY (ARRAY(
      SELECT r.id FROM jobs AS r
      WHERE r.tenant_id = tenant AND r.job_type = wanted.job_type
        AND r.status = 'queued' AND r.intent_id IS NOT NULL
        AND r.next_retry_at IS NOT NULL AND r.next_retry_at <= due_time
      ORDER BY r.next_retry_at
      LIMIT 1000
      FOR UPDATE SKIP LOCKED));
    candidates := candidates || ARRAY(
      SELECT j.id FROM jobs AS j
      JOIN intents AS i ON i.tenant_id = j.tenant_id AND i.id = j.intent_id
      WHERE j.tenant_id = tenant AND j.job_type = wanted.job_type
        AND j.status = 'queued' AND j.next_retry_at IS NULL
        AND j.intent_id IS NOT NULL
        AND (i.agent_id IS NULL OR i.agent_id <> ALL (off_agents))
      ORDER BY j.priority DESC, j.created_at, j.id
      LIMIT room
      FOR UPDATE OF j SKIP LOCKED);
  END LOOP;
  chosen := ARRAY(
    SELECT c.id FROM (
      SELECT j.id, j.priority, j.created_at,
             sum(octet_length(i.payload_raw)) OVER in_order AS bytes,
             row_number() OVER in_order AS place
      FROM jobs AS j
      JOIN intents AS i ON i.tenant_id = j.tenant_id AND i.id = j.intent_id
      WHERE j.id = ANY (candidates)
      WINDOW in_order AS (ORDER BY j.priority DESC, j.created_at, j.id
                          ROWS UNBOUNDED PRECEDING)
    ) AS c
    WHERE c.place = 1 OR (c.place <= batch_size AND c.bytes <= bytes_max)
    ORDER BY c.place);
  UPDATE jobs AS j
  SET status = 'running',
      lease_token = gen_random_uuid(),
      lease_expires_at =
        engine_now() + lease_micros * interval '1 microsecond',
      leased_by = worker
  WHERE j.id = ANY (chosen);
  INSERT INTO audit_log
    (tenant_id, actor_external_id, actor_type, level, action, entity_type,
     entity_id, meta)
  SELECT j.tenant_id, worker, 'system', 'info', 'JOB_LEASED', 'job', j.id,
         jsonb_build_object('intent_id', j.intent_id, 'job_type', j.job_type,
                            'attempt', j.retry_count + 1,
                            'lease_expires_at', j.lease_expires_at)
  FROM jobs AS j
  WHERE j.id = ANY (chosen);
  RETURN QUERY
    SELECT r, j.lease_token
    FROM unnest(chosen) WITH ORDINALITY AS c (id, place)
    JOIN jobs AS j ON j.id = c.id
    JOIN job_rows AS r ON r.id = c.id
    ORDER BY c.place;
END
$$;

-- As at the end of 0006.
DO $$
DECLARE
  needs_membership CONSTANT boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
  signature regprocedure;
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  FOREACH signature IN ARRAY ARRAY[
    'agents_switched_off(uuid)', 'expired_jobs(integer)'
  ]::regprocedure[] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO intent_definer', signature);
  END LOOP;
  FOREACH signature IN ARRAY ARRAY[
    'agents_switched_off(uuid)', 'expired_jobs(integer)',
    'job_retry_time(integer)', 'notify_job(uuid, text)',
    'lease_jobs(uuid, text[], integer[], integer, bigint, bigint, text)'
  ]::regprocedure[] LOOP
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
