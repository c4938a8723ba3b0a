-- Of each event first, so that no text gets longer than PostgreSQL can hold. Times as numbers: as texts they would depend on
-- the session.
CREATE FUNCTION digest_of(first bigint, last bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT encode(sha256(string_agg(
               sha256(convert_to(jsonb_build_array(
                   e.position, e.stream, e.version, e.type, e.schema_version, e.order_key, extract(epoch FROM e.recorded_at),
                   extract(epoch FROM e.effective_at), e.metadata, e.payload, e.claims)::text, 'UTF8')),
               ''::bytea ORDER BY e.position)), 'hex')
      FROM event e
     WHERE e.position BETWEEN first AND last;
END;
COMMENT ON FUNCTION digest_of (bigint, bigint) IS 'SHA-256 of the events of a block of positions, as they are; null: there are none.';
