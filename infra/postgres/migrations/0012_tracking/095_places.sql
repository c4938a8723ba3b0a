CREATE FUNCTION places(asked text) RETURNS SETOF tracking LANGUAGE plpgsql STABLE PARALLEL SAFE SET enable_seqscan = off AS $$
DECLARE
    place tracking;
BEGIN
    SELECT * INTO place FROM tracking WHERE consumer = asked ORDER BY partition DESC, position DESC LIMIT 1;
    WHILE place.partition >= 0 LOOP
        RETURN NEXT place;
        SELECT * INTO place FROM tracking
         WHERE consumer = asked AND partition < place.partition ORDER BY partition DESC, position DESC LIMIT 1;
    END LOOP;
END;
$$;
COMMENT ON FUNCTION places (text) IS
    'Where a consumer stands in each partition. From the last to the first, each found by index, past what is kept of them '
    'for older transactions; plans are made while the table is one page, and must not rely on its staying so.';
