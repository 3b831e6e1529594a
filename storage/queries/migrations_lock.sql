-- One deploy at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(7205759403792793600)
