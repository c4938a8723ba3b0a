-- Beside progress(), which the release before asks and which must go on as it is.
CREATE FUNCTION standing(asked text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT ARRAY[p.version, t.least, (SELECT max(position) FROM head),
                         (SELECT count(*) FROM quarantine WHERE projection = p.name), t.greatest]
              FROM projection p,
                   LATERAL (SELECT min(position) AS least, max(position) AS greatest
                              FROM places(p.name)) t
             WHERE p.name = asked);
END;
$$;
COMMENT ON FUNCTION standing (text) IS
    'Version of a projection, up to which position it has everything, the size of the log, how many streams are parked, and '
    'beyond which position it has nothing: if that is more than the log has, the book was set back. In PL/pgSQL, which '
    'plans it once a connection: to plan it with each answer would take as long as many an answer. Unsafe for parallel '
    'workers, as a function is unless it says so, no figure could use two cores.';
GRANT EXECUTE ON FUNCTION standing (text) TO {service};
