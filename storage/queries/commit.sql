-- Makes the transaction durable.
COMMIT
