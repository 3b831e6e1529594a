-- Locks counters of limits, in the order of their keys, and reads what they
-- counted once it has them (0041).
SELECT key, now_micros, total
FROM lock_limits($1::text[], $2::uuid[], $3::bigint[])
