-- Waits for the settlements that are under way (0013).
SELECT activate_approved_policy($1::uuid, $2::uuid)
