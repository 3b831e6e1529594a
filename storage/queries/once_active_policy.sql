-- policies_digest_key, audit_log_entity_idx.
SELECT names, texts FROM once_active_policy($1)
