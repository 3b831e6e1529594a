SELECT activate_tenant_policy($1::uuid, $2, $3::uuid)
