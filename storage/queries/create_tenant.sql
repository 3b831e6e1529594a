-- With its audit entry, as all changes of 0016.
SELECT create_tenant($1::uuid, $2, $3, $4, $5::uuid, $6)
