-- Sealing with many tenants: blocks are written together, in one statement for
-- all, and a log may get several of them at once.

-- Replacing a function takes membership of its owner, and its right to create
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

-- Seals what claim_unsealed_audit() answered in this transaction: takes it off
-- the queue and adds blocks to logs, those of one log in their order.
-- `positions` are those of all blocks, in the order of their leaves, `counts`
-- how many each block has. An entry can't be sealed twice, nor in another's
-- log, nor a block set anywhere but at the end of its log.
--
-- What a block lacks, because it is not in the queue or another log's, makes
-- its entries fewer than its count, which audit_seals_counts refuses; a block
-- that lacks all is missed at the end.
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
-- Those settings work by prices at which it would be worth it.
SET jit = off
-- A batch's positions and ids, in memory.
SET work_mem = '32MB'
AS $$
DECLARE
  first_position bigint;
  last_position bigint;
  appended bigint;
BEGIN
  -- Held already by who claimed; nobody else may seal.
  PERFORM pg_advisory_xact_lock(7205759403792793603);
  IF (SELECT sum(c.count) FROM unnest(counts) AS c (count))
     IS DISTINCT FROM cardinality(positions) THEN
    RAISE EXCEPTION 'the blocks don''t add up to the entries'
      USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (
    SELECT FROM (
      SELECT b.tenant_id, b.first_sequence,
             lag(b.first_sequence + b.count)
               OVER (PARTITION BY b.tenant_id ORDER BY b.number) AS size_before
      FROM unnest(tenants, first_sequences, counts) WITH ORDINALITY
        AS b (tenant_id, first_sequence, count, number)) AS b
    WHERE b.first_sequence IS DISTINCT FROM coalesce(
      b.size_before,
      (SELECT s.tree_size FROM audit_seals AS s
       WHERE s.log_id =
         coalesce(b.tenant_id, '00000000-0000-0000-0000-000000000000')
       ORDER BY s.first_sequence DESC LIMIT 1),
      0)) THEN
    RAISE EXCEPTION 'a seal goes at the end of its log'
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT min(p.queue_position), max(p.queue_position)
  INTO first_position, last_position
  FROM unnest(positions) AS p (queue_position);
  WITH blocks AS MATERIALIZED (
    SELECT b.*, sum(b.count) OVER (ORDER BY b.number) - b.count AS done
    FROM unnest(tenants, first_sequences, counts, leaf_hashes, frontiers, roots,
                signatures) WITH ORDINALITY
      AS b (tenant_id, first_sequence, count, leaf_hashes, frontier, root_hash,
            signature, number)
  ), leaves AS (
    SELECT b.number, b.tenant_id,
           b.done + generate_series(1, b.count) AS place
    FROM blocks AS b
  ), taken AS (
    DELETE FROM audit_unsealed AS q
    USING unnest(positions) WITH ORDINALITY AS p (queue_position, place)
    WHERE q.queue_position = p.queue_position
      AND q.queue_position BETWEEN first_position AND last_position
    RETURNING p.place, q.tenant_id, q.entry_id
  ), filled AS (
    SELECT l.number, array_agg(t.entry_id ORDER BY t.place) AS entry_ids
    FROM leaves AS l
    JOIN taken AS t ON t.place = l.place
    WHERE t.tenant_id IS NOT DISTINCT FROM l.tenant_id
    GROUP BY l.number
  )
  INSERT INTO audit_seals
    (tenant_id, first_sequence, entry_count, tree_size, entry_ids,
     leaf_hashes, frontier, root_hash, sealed_at, key_id, signature)
  SELECT b.tenant_id, b.first_sequence, b.count, b.first_sequence + b.count,
         f.entry_ids, b.leaf_hashes, b.frontier, b.root_hash,
         from_micros(sealed_micros),
         CASE WHEN b.signature IS NOT NULL THEN signing_key END, b.signature
  FROM blocks AS b
  JOIN filled AS f ON f.number = b.number
  ORDER BY b.number;
  GET DIAGNOSTICS appended = ROW_COUNT;
  IF appended <> cardinality(tenants) THEN
    RAISE EXCEPTION 'entries to be sealed are not in the queue of their log'
      USING ERRCODE = 'check_violation';
  END IF;
END
$$;

-- A batch with its texts, in memory: it is larger now.
ALTER FUNCTION claim_unsealed_audit(integer) SET work_mem = '64MB';

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
