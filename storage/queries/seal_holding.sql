-- The first seal that holds an entry, looked for from a time on
-- (audit_seals_time_idx): it is among the first, unless the entry's transaction
-- took long to commit. One that waits to be sealed is in none of them, and none
-- is read for it (the queue is short).
SELECT log_id, tree_size, root_hash, to_micros(sealed_at), key_id, signature,
       first_sequence, entry_ids, leaf_hashes, frontier
FROM audit_seals
WHERE NOT EXISTS (SELECT FROM audit_unsealed AS q WHERE q.entry_id = $2::uuid)
  AND log_id = $1::uuid
  AND entry_ids @> ARRAY[$2::uuid]
  AND ($3::bigint IS NULL
       OR sealed_at >= from_micros($3) - interval '5 seconds')
ORDER BY sealed_at
LIMIT 1
