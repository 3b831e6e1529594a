SELECT propose_policy($1::uuid, $2, $3::text[], $4::text[], $5, $6::uuid, $7,
                      $8, $9)
