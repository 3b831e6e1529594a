SELECT revoke_token($1::uuid, $2::uuid, $3::uuid, $4)
