SELECT store_policy($1, $2::text[], $3::text[], $4)
