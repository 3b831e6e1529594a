-- Records what a batch's intents spend, with the alerts that follow (0042).
SELECT record_spends($1::uuid[], $2::uuid[], $3::text[], $4::bigint[],
                     $5::bigint[])
