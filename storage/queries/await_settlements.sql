-- Waits for the settlements under way, and for nothing else: they share this
-- lock (0006).
SELECT pg_advisory_xact_lock(7205759403792793601)
