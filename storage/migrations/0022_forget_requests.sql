-- Request ids are kept for 30 days.
CREATE INDEX intent_requests_age_idx ON intent_requests (created_at);

CREATE POLICY definer_rows ON intent_requests TO intent_definer
  USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON intent_requests TO intent_definer;

-- Forgets up to batch_size of those that are older, the oldest first; answers
-- how many. What they stood for stays.
CREATE FUNCTION forget_requests(batch_size integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
  WITH forgotten AS (
    DELETE FROM intent_requests AS q
    WHERE q.ctid = ANY (ARRAY(
      SELECT o.ctid FROM intent_requests AS o
      WHERE o.created_at < engine_now() - interval '30 days'
      ORDER BY o.created_at
      LIMIT batch_size))
      -- Again: the row may be another by now.
      AND q.created_at < engine_now() - interval '30 days'
    RETURNING 1
  )
  SELECT count(*) FROM forgotten
$$;

-- As at the end of 0006.
DO $$
DECLARE
  needs_membership CONSTANT boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT CREATE ON SCHEMA %I TO intent_definer',
                 current_schema());
  ALTER FUNCTION forget_requests(integer) OWNER TO intent_definer;
  REVOKE ALL ON FUNCTION forget_requests(integer) FROM PUBLIC;
  EXECUTE format('GRANT EXECUTE ON FUNCTION forget_requests(integer) '
                 'TO intent_runtime, %I', current_user);
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM intent_definer',
                 current_schema());
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$;
