-- As in 0001, and exact to the year 9999: a bigint times an interval goes
-- through a double, which loses microseconds from the year 2255 on. Whole
-- seconds, as microseconds, are multiples of 2^6, and so are not rounded.
CREATE OR REPLACE FUNCTION from_micros(value bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
  SELECT timestamptz 'epoch'
    + (value / 1000000) * interval '1 second'
    + (value % 1000000) * interval '1 microsecond'
$$;
