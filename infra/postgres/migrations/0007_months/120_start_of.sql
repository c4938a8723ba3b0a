-- By the end of the day before: midnight itself may be twice or never on a day on which clocks are changed. All of it is
-- arithmetic without a time zone of the session's, so that a planner can know the result.
CREATE FUNCTION start_of(day date, time_zone text) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((day::timestamp - interval '1 microsecond') AT TIME ZONE time_zone AT TIME ZONE 'UTC'
            + interval '1 microsecond') AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION start_of (date, text) IS 'The first moment of a day in a time zone.';
