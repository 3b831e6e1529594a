-- Shares the policy lock, then reads the active digest (0004, 0006).
SELECT settlement_policy_digest()
