-- By the hash's unique key.
SELECT * FROM look_up_token($1)
