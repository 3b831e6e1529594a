INSERT INTO tenants (id, slug, name, seat)
VALUES ($1::uuid, $2, $3, $4::"SeatType")
RETURNING id
