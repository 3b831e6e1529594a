-- The newest head of every log (audit_seals_pkey, hopping from log to log).
SELECT log_id, tree_size, root_hash, sealed_micros, key_id, signature
FROM latest_audit_seals()
