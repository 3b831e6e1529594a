-- One entry for a source and a minute, however many calls there were.
SELECT record_refused_credentials($1, $2::bigint, from_micros($3::bigint))
