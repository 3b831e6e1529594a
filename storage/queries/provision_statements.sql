-- What still has to be run so that the database $1 exists, owned by the login
-- role $2, beside the login role $3: one statement a row, in order. Sequential
-- scans of the small catalogs; nothing is locked.
SELECT statement
FROM (
  SELECT 1 AS place,
         format('CREATE ROLE %I LOGIN CREATEROLE NOSUPERUSER', $2::text)
           AS statement
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $2::text)
  UNION ALL
  SELECT 2, format('CREATE ROLE %I LOGIN NOSUPERUSER', $3::text)
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $3::text)
  UNION ALL
  SELECT 3, format('CREATE DATABASE %I OWNER %I', $1::text, $2::text)
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1::text)
) AS wanted
ORDER BY place
