SELECT seed_policy($1, $2)
