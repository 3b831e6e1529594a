-- Enters what settlements count for limits (0041).
SELECT count_limits($1::text[], $2::uuid[], $3::bigint[], $4::bigint[],
                    $5::bigint[])
