SELECT active_policy_digest()
