-- Sealing at the peak's rate: an entry is found at the young end of its
-- tenant's list, where it was written a moment ago, and not by its random id,
-- which is anywhere in an index that outgrows memory; a batch leaves the queue
-- as the range that it is.

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

-- Takes the sealers' lock for the transaction and answers the entries at the
-- head of the queue, as audit_rows shows them, in no order: their positions are
-- one. Nothing where another sealer is at work. Sets intent.tenants to the
-- tenants answered, and the system tenant where there are entries of the
-- platform.
--
-- `BETWEEN` one id and the same one is `=` to all but the planner, who would
-- take the primary key for `=`. The queue is small and its statistics are
-- always old: without the settings he might read the whole log to join it.
CREATE OR REPLACE FUNCTION claim_unsealed_audit(batch_size integer)
RETURNS TABLE (
  queue_position bigint, id uuid, tenant_id uuid, actor_user_id uuid,
  actor_external_id text, actor_type text, level "AuditLevel", action text,
  entity_type text, entity_id uuid, meta text, created_micros text,
  transition_number bigint, xact_id xid8
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_bitmapscan = off
-- A batch with its texts, in memory.
SET work_mem = '32MB'
AS $$
#variable_conflict use_column
DECLARE
  positions bigint[];
  owners uuid[];
  entries uuid[];
  times timestamptz[];
  answered bigint;
  platforms bigint := 0;
BEGIN
  PERFORM set_config('intent.tenants', '', true);
  IF NOT pg_try_advisory_xact_lock(7205759403792793603) THEN
    RETURN;
  END IF;
  SELECT array_agg(head.queue_position), array_agg(head.tenant_id),
         array_agg(head.entry_id), array_agg(head.created_at)
  INTO positions, owners, entries, times
  FROM (SELECT q.queue_position, q.tenant_id, q.entry_id, q.created_at
        FROM audit_unsealed AS q
        WHERE q.missing_since IS NULL
        ORDER BY q.queue_position
        LIMIT batch_size) AS head;
  IF positions IS NULL THEN
    RETURN;
  END IF;
  PERFORM set_config(
    'intent.tenants',
    (SELECT array_agg(DISTINCT coalesce(
              o.tenant_id, '00000000-0000-0000-0000-000000000001'::uuid))::text
     FROM unnest(owners) AS o (tenant_id)),
    true);
  RETURN QUERY
    SELECT h.queue_position, r.id, r.tenant_id, r.actor_user_id,
           r.actor_external_id, r.actor_type, r.level, r.action,
           r.entity_type, r.entity_id, r.meta, r.created_micros,
           r.transition_number, r.xact_id
    FROM unnest(positions, owners, entries, times)
      AS h (queue_position, tenant_id, entry_id, created_at)
    JOIN audit_rows AS r
      ON r.tenant_id = h.tenant_id AND r.created_at = h.created_at
        AND r.id BETWEEN h.entry_id AND h.entry_id;
  GET DIAGNOSTICS answered = ROW_COUNT;
  IF answered < cardinality(positions) THEN
    RETURN QUERY
      SELECT h.queue_position, r.id, r.tenant_id, r.actor_user_id,
             r.actor_external_id, r.actor_type, r.level, r.action,
             r.entity_type, r.entity_id, r.meta, r.created_micros,
             r.transition_number, r.xact_id
      FROM unnest(positions, owners, entries, times)
        AS h (queue_position, tenant_id, entry_id, created_at)
      JOIN audit_rows AS r
        ON r.tenant_id IS NULL AND r.created_at = h.created_at
          AND r.id BETWEEN h.entry_id AND h.entry_id
      WHERE h.tenant_id IS NULL;
    GET DIAGNOSTICS platforms = ROW_COUNT;
  END IF;
  IF answered + platforms < cardinality(positions) THEN
    UPDATE audit_unsealed AS q
    SET missing_since = engine_now()
    WHERE q.queue_position = ANY (positions)
      AND NOT EXISTS (SELECT FROM audit_log AS a
                      WHERE a.id = q.entry_id
                        AND a.created_at = q.created_at
                        AND a.tenant_id IS NOT DISTINCT FROM q.tenant_id);
  END IF;
END
$$;

-- Seals what claim_unsealed_audit() answered in this transaction: takes it off
-- the queue and adds a block to each of the logs. `positions` are those of all
-- blocks, in the order of their leaves, `counts` how many each block has. An
-- entry can't be sealed twice, nor in another's log, nor a block set anywhere
-- but at the end of its log.
--
-- A batch is the queue's head: one range of positions, with nothing in between
-- but what was committed since.
CREATE OR REPLACE FUNCTION append_audit_seals(
  tenants uuid[], first_sequences bigint[], counts integer[],
  positions bigint[], leaf_hashes bytea[], frontiers bytea[], roots bytea[],
  sealed_micros bigint, signing_key text, signatures bytea[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
SET enable_nestloop = off
SET enable_mergejoin = off
SET enable_seqscan = off
AS $$
DECLARE
  first_position bigint;
  last_position bigint;
  taken_tenants uuid[];
  taken_ids uuid[];
  last_size bigint;
  done integer := 0;
BEGIN
  -- Held already by who claimed; nobody else may seal.
  PERFORM pg_advisory_xact_lock(7205759403792793603);
  SELECT min(p.queue_position), max(p.queue_position)
  INTO first_position, last_position
  FROM unnest(positions) AS p (queue_position);
  WITH taken AS (
    DELETE FROM audit_unsealed AS q
    USING unnest(positions) WITH ORDINALITY AS p (queue_position, place)
    WHERE q.queue_position = p.queue_position
      AND q.queue_position BETWEEN first_position AND last_position
    RETURNING p.place, q.tenant_id, q.entry_id
  )
  SELECT array_agg(t.tenant_id ORDER BY t.place),
         array_agg(t.entry_id ORDER BY t.place)
  INTO taken_tenants, taken_ids
  FROM taken AS t;
  IF cardinality(taken_ids) IS DISTINCT FROM cardinality(positions) THEN
    RAISE EXCEPTION 'entries to be sealed are not in the queue'
      USING ERRCODE = 'check_violation';
  END IF;
  FOR i IN 1 .. cardinality(tenants) LOOP
    IF EXISTS (SELECT FROM unnest(taken_tenants[done + 1 : done + counts[i]])
                 AS t (tenant_id)
               WHERE t.tenant_id IS DISTINCT FROM tenants[i]) THEN
      RAISE EXCEPTION 'an entry can''t be sealed in another log than its own'
        USING ERRCODE = 'check_violation';
    END IF;
    SELECT s.tree_size INTO last_size FROM audit_seals AS s
    WHERE s.log_id =
      coalesce(tenants[i], '00000000-0000-0000-0000-000000000000')
    ORDER BY s.first_sequence DESC LIMIT 1;
    IF first_sequences[i] IS DISTINCT FROM coalesce(last_size, 0) THEN
      RAISE EXCEPTION 'a seal goes at the end of its log'
        USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO audit_seals
      (tenant_id, first_sequence, entry_count, tree_size, entry_ids,
       leaf_hashes, frontier, root_hash, sealed_at, key_id, signature)
    VALUES
      (tenants[i], first_sequences[i], counts[i],
       first_sequences[i] + counts[i],
       taken_ids[done + 1 : done + counts[i]], leaf_hashes[i], frontiers[i],
       roots[i], from_micros(sealed_micros),
       CASE WHEN signatures[i] IS NULL THEN NULL ELSE signing_key END,
       signatures[i]);
    done := done + counts[i];
  END LOOP;
  IF done <> cardinality(positions) THEN
    RAISE EXCEPTION 'the blocks don''t add up to the entries'
      USING ERRCODE = 'check_violation';
  END IF;
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
