SELECT activate_policy($1, $2::boolean, $3::uuid, $4)
