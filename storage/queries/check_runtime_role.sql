-- What row level security means to the role that is logged in.
SELECT current_user,
       to_regclass('intents') IS NOT NULL,
       r.rolsuper,
       r.rolbypassrls,
       EXISTS (SELECT FROM pg_class AS c
               WHERE c.oid = to_regclass('intents')
                 AND pg_has_role(c.relowner, 'MEMBER')),
       EXISTS (SELECT FROM pg_roles AS d
               WHERE d.rolname = 'intent_definer'
                 AND pg_has_role(d.oid, 'MEMBER')),
       EXISTS (SELECT FROM pg_roles AS m
               WHERE m.rolname = 'intent_runtime'
                 AND pg_has_role(m.oid, 'USAGE'))
FROM pg_roles AS r
WHERE r.rolname = current_user
