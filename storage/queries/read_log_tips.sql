-- Where each of some logs ends, and one time for all (audit_seals_pkey).
SELECT l.log_id, s.tree_size, s.frontier, s.root_hash, (SELECT to_micros(engine_now()))
FROM unnest($1::uuid[]) AS l (log_id)
LEFT JOIN LATERAL (
  SELECT a.tree_size, a.frontier, a.root_hash
  FROM audit_seals AS a
  WHERE a.log_id = l.log_id
  ORDER BY a.first_sequence DESC
  LIMIT 1
) AS s ON true
