CREATE FUNCTION end_of(day date, time_zone text) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((day + 1)::timestamp - interval '1 microsecond') AT TIME ZONE time_zone
$$;
COMMENT ON FUNCTION end_of (date, text) IS 'The last moment of a day in a time zone: nothing lies between it and the next day.';
