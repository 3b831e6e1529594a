-- The kill switch.
SELECT engine_enabled()
