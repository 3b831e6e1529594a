SELECT force_policy($1, $2, $3)
