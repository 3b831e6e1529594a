SELECT create_token($1::uuid, $2, $3::uuid, $4::uuid, $5, $6, $7::uuid,
                    $8::bigint, $9::uuid, $10)
