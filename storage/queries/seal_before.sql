-- The last seal that begins before a number (audit_seals_pkey).
SELECT log_id, tree_size, root_hash, to_micros(sealed_at), key_id, signature,
       first_sequence, entry_ids, leaf_hashes, frontier
FROM audit_seals
WHERE log_id = $1::uuid AND first_sequence < $2::bigint
ORDER BY first_sequence DESC
LIMIT 1
