CREATE FUNCTION {name}_at(as_of timestamptz, known_at bigint)
RETURNS SETOF {name}_balance LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM {name}_balances(as_of, known_at, now());
END;
COMMENT ON FUNCTION {name}_at (timestamptz, bigint) IS
    'Register {name}: balances at a moment (NULL: now), as known at a position (NULL: by all that is known).';
