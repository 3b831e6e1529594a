-- Removes entries of limits that are past their windows (0041).
SELECT prune_limits($1)
