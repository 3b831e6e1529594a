-- One page, newest first (system_state_switch_idx).
SELECT id, level, tenant_id, tenant_slug, agent_id, agent_name,
       engine_enabled, reason, set_by, to_micros(set_at)
FROM kill_switches($1::boolean, $2::uuid, from_micros($3::bigint), $4::uuid,
                   $5::integer)
