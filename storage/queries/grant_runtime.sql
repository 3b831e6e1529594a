-- Parameters can't be bound to a GRANT: the role travels in a setting.
DO $$
BEGIN
  EXECUTE format('GRANT intent_runtime TO %I',
                 current_setting('intent.role_argument'));
END
$$
