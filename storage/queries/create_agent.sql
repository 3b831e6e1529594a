SELECT create_agent($1::uuid, $2, $3, $4, $5::integer, $6::text[], $7::uuid,
                    $8::uuid, $9)
