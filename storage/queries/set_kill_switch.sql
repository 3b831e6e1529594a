-- Sets a switch, with its audit entry (0009).
SELECT set_kill_switch($1::uuid, $2::uuid, $3::boolean, $4, $5::uuid, $6)
