-- Removes counters that counted nothing for a day (0041).
SELECT forget_limits($1)
