-- What waits to be done (0040, 0041). Sent as text, with literals, so that limits and
-- question are one round trip and one transaction, which ends with it.
SELECT set_config('statement_timeout', $1, true),
       set_config('search_path',
                  coalesce($2, current_setting('search_path')), true);
SELECT * FROM waiting_work()
