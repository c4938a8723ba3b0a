CREATE OR REPLACE FUNCTION progress(asked text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT ARRAY[p.version, (SELECT min(position) FROM tracking WHERE consumer = p.name),
                         (SELECT max(position) FROM head),
                         (SELECT count(*) FROM quarantine WHERE projection = p.name)]
              FROM projection p
             WHERE p.name = asked);
END;
$$;
COMMENT ON FUNCTION progress (text) IS
    'Version of a projection, up to which position it has everything, the size of the log, and how many streams are parked. '
    'In PL/pgSQL, which plans it once a connection: to plan it with each answer would take as long as many an answer. '
    'Unsafe for parallel workers, as a function is unless it says so, no figure could use two cores.';
