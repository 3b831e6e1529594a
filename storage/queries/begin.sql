-- Opens a transaction with its limits and tenants, in one round trip. Sent as
-- text, with literals: several statements take no parameters. What is read
-- after a lock was had must be what is committed by then, whatever the
-- database's default says.
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('statement_timeout', $1, true),
       set_config('lock_timeout', $2, true),
       set_config('idle_in_transaction_session_timeout', $3, true),
       set_config('intent.tenants', $4, true),
       set_config('search_path',
                  coalesce($5, current_setting('search_path')), true)
