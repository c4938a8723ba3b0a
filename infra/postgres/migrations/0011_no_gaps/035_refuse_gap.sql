-- Called by an append that finds that the book has not what it follows on. A trigger that looks by itself would cost
-- each append some 50 µs of the server's time, about a quarter (docs/decisions/0021).
CREATE FUNCTION refuse_gap(stream text, version int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the book has no version % of %, on which this append follows', version, stream
        USING ERRCODE = 'integrity_constraint_violation', TABLE = 'event', CONSTRAINT = 'event_follows';
END;
$$;
COMMENT ON FUNCTION refuse_gap (text, int) IS 'Refuses an append that would leave a gap in a stream.';
GRANT EXECUTE ON FUNCTION refuse_gap (text, int) TO {service};
