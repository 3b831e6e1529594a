-- Request ids of all tenants that are past their time
-- (intent_requests_age_idx).
SELECT forget_requests($1::integer)
