-- What somebody holds of others now (approval_delegations_to_idx). More of them
-- than a vote can name would be a mistake; the oldest count.
SELECT d.id, d.from_user_id, d.roles
FROM delegations_in_force AS d
WHERE d.tenant_id = $1::uuid AND d.to_user_id = $2::uuid
ORDER BY d.id
LIMIT 100
