-- Gives the transaction up.
ROLLBACK
