-- A place to come back to when a member of a batch fails.
SAVEPOINT member
