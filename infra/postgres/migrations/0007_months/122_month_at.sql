CREATE FUNCTION month_at(moment timestamptz, time_zone text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_trunc('month', (moment AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC'
                               AT TIME ZONE time_zone)::date
$$;
COMMENT ON FUNCTION month_at (timestamptz, text) IS
    'The first day of the month that is not over at a moment in a time zone. At the last moment of a month it is.';
