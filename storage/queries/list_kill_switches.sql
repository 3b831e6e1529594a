-- One page, last set first (system_state_switch_idx).
SELECT id, level, tenant_id, tenant_slug, agent_id, agent_name,
       engine_enabled, reason, set_by, to_micros(set_at)
FROM kill_switches($1::boolean, $2, $3::uuid, $4::uuid,
                   from_micros($5::bigint), $6::uuid, $7::integer)
