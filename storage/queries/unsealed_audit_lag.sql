-- How many entries wait to be sealed, and since when the oldest does.
SELECT waiting, oldest_micros FROM unsealed_audit_lag()
