-- The person, the membership and the further roles.
WITH person AS (
  INSERT INTO app_users (tenant_id, email, name)
  VALUES ($1::uuid, $2, $3)
  RETURNING id
), member AS (
  INSERT INTO tenant_members (tenant_id, user_id, role, seat_type)
  SELECT $1::uuid, person.id, $4, $5::"SeatType" FROM person
), further AS (
  INSERT INTO member_roles (tenant_id, user_id, role)
  SELECT DISTINCT $1::uuid, person.id, r.role
  FROM person, unnest($6::text[]) AS r (role)
  WHERE r.role <> $4
)
SELECT id FROM person
