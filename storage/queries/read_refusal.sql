-- What the comment on a constraint, or on a unique index, says (0034). A few
-- rows of the catalog by name: only where an effect was refused.
SELECT obj_description(c.oid, 'pg_constraint')
FROM pg_constraint AS c
WHERE c.conname = $1 AND c.connamespace = to_regnamespace(current_schema())
  AND obj_description(c.oid, 'pg_constraint') IS NOT NULL
UNION ALL
SELECT obj_description(c.oid, 'pg_class')
FROM pg_class AS c
WHERE c.relname = $1 AND c.relnamespace = to_regnamespace(current_schema())
  AND obj_description(c.oid, 'pg_class') IS NOT NULL
LIMIT 1
