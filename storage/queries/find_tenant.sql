-- By the slug's unique key, whoever asks.
SELECT tenant_id_by_slug($1)
