-- Only where the URL names a schema; it is the first of the search path.
DO $$
DECLARE
  schema_name CONSTANT text :=
    split_part(current_setting('search_path'), ', pg_temp', 1);
BEGIN
  IF to_regnamespace(schema_name) IS NULL THEN
    EXECUTE 'CREATE SCHEMA ' || schema_name;
  END IF;
END
$$
