SELECT set_config('intent.role_argument', $1, true)
