SELECT lock_tenant_policy($1::uuid)
