CREATE OR REPLACE FUNCTION progress(asked text) RETURNS bigint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT ARRAY[p.version, (SELECT min(position) FROM places(p.name)),
                         (SELECT max(position) FROM head),
                         (SELECT count(*) FROM quarantine WHERE projection = p.name)]
              FROM projection p
             WHERE p.name = asked);
END;
$$;
