-- The next of what open_unsealed_audit.sql took; nothing at its end.
FETCH 4096 FROM unsealed_audit
