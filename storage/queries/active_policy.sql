SELECT digest, source_name, source_text FROM active_policy()
