"""How the policy layer is compiled."""

# Policy code reports through diagnostics and values; that it builds without
# exceptions keeps it so.
POLICY_COPTS = ["-fno-exceptions"]
