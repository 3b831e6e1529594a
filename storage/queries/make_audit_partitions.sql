-- This month's and the next three.
SELECT make_audit_partitions(3)
