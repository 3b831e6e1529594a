-- Whether a job succeeded by this very lease (primary key).
SELECT status = 'succeeded' AND lease_token = $2::uuid
FROM jobs WHERE id = $1::uuid AND intent_id IS NOT NULL
