-- Keeps what happened since the savepoint.
RELEASE SAVEPOINT member
