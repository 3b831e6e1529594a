-- Undoes what happened since the savepoint, and forgets it.
ROLLBACK TO SAVEPOINT member;
RELEASE SAVEPOINT member
