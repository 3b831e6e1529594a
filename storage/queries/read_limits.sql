-- What limits counted so far, for whoever only asks (0041).
SELECT key, now_micros, total
FROM limit_totals($1::text[], $2::uuid[], $3::bigint[])
