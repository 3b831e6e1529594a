-- Drops whatever is in the schema, our functions with it; what belongs to an
-- extension stays. Taking functions from intent_definer takes its membership,
-- for the length of this transaction.
DO $$
DECLARE
  needs_membership boolean :=
    NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user)
    AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'intent_definer');
  item record;
BEGIN
  IF needs_membership THEN
    GRANT intent_definer TO CURRENT_USER;
  END IF;
  FOR item IN
    -- By name: one that went with another (CASCADE) has no other name left.
    SELECT c.relname AS name, c.relkind = 'v' AS is_view
    FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace
      AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass
                        AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relkind = 'v' DESC
  LOOP
    EXECUTE format(CASE WHEN item.is_view THEN 'DROP VIEW IF EXISTS %I CASCADE'
                        ELSE 'DROP TABLE IF EXISTS %I CASCADE' END, item.name);
  END LOOP;
  FOR item IN
    SELECT p.oid::regprocedure AS name
    FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_proc'::regclass
                        AND d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', item.name);
  END LOOP;
  FOR item IN
    SELECT format('%I', t.typname) AS name
    FROM pg_type AS t
    WHERE t.typnamespace = current_schema()::regnamespace AND t.typtype = 'e'
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_type'::regclass
                        AND d.objid = t.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', item.name);
  END LOOP;
  IF needs_membership THEN
    REVOKE intent_definer FROM CURRENT_USER;
  END IF;
END
$$
