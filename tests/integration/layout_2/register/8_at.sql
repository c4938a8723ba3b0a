CREATE FUNCTION {name}_at(as_of timestamptz, known_at bigint)
RETURNS SETOF {name}_balance LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM {name}_balances(as_of, known_at, now())
$$;
