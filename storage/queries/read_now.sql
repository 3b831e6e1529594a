-- The database's clock.
SELECT to_micros(engine_now())
