SELECT update_agent($1::uuid, $2::uuid, $3, $4, $5::integer, $6::text[],
                    $7::boolean, $8::uuid, $9::uuid, $10)
