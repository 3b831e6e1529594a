-- Whose rows the rest of the transaction sees.
SELECT set_config('intent.tenants', $1, true)
