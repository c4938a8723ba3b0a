CREATE FUNCTION progress(asked text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT ARRAY[p.version, t.position, (SELECT max(position) FROM head)]
              FROM projection p
              JOIN tracking t ON t.consumer = p.name AND t.partition = 0
             WHERE p.name = asked);
END;
$$;
COMMENT ON FUNCTION progress (text) IS
    'Version of a projection, how far it is, and the size of the log. In PL/pgSQL, which plans it once a connection: to '
    'plan it with each answer would take as long as many an answer. Unsafe for parallel workers, as a function is '
    'unless it says so, no figure could use two cores.';
GRANT EXECUTE ON FUNCTION progress (text) TO {service};
