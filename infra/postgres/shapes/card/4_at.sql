CREATE FUNCTION {name}_at(as_of timestamptz, known_at bigint)
RETURNS SETOF {name} LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM {name}_cards(as_of, known_at, now())
$$;
