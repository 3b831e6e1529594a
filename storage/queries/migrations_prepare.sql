-- Where to work ($1 is a quoted schema, or empty), and no time limit.
SELECT set_config('search_path',
                  coalesce(NULLIF($1, ''), quote_ident(current_schema()))
                    || ', pg_temp',
                  true),
       set_config('statement_timeout', '0', true),
       set_config('lock_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true)
