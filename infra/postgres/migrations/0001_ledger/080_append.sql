-- Appends a batch in one transaction and one round trip. Columns come as strings joined by the unit separator (0x1F),
-- which JSON never holds raw and ids may not contain.
--
-- Gives the time of recording, or NULL if the head is not where the writer believed it to be: then nothing was done.
-- A column of one empty string splits into nothing, hence the coalesce.
-- The unique indexes are the check of versions, claims and command ids. There is no look-up before the insert: set-wise
-- checks kept a plan made on an empty table and slowed with every row.
CREATE FUNCTION append(
    expected bigint, size int, moment timestamptz,
    streams text, versions text, types text, schema_versions text, order_keys text,
    effective_ats text, metadatas text, payloads text, claimss text,
    command_ids text, digests text, firsts text, counts text
) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    separator CONSTANT text := chr(31);
    recorded timestamptz;
BEGIN
    UPDATE head
       SET position = expected + size, recorded_at = greatest(head.recorded_at, moment)
     WHERE head.position = expected
    RETURNING head.recorded_at INTO recorded;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    INSERT INTO event (position, stream, version, type, schema_version, order_key,
                       recorded_at, effective_at, metadata, payload, claims)
    SELECT expected + n, e.stream, e.version::int, e.type, e.schema_version::smallint, e.order_key,
           recorded, e.effective_at::timestamptz, e.metadata, coalesce(e.payload, ''), nullif(e.claims, '')
      FROM unnest(string_to_array(streams, separator), string_to_array(versions, separator),
                  string_to_array(types, separator), string_to_array(schema_versions, separator),
                  string_to_array(order_keys, separator), string_to_array(effective_ats, separator),
                  string_to_array(metadatas, separator), string_to_array(payloads, separator),
                  string_to_array(claimss, separator))
           WITH ORDINALITY AS e (stream, version, type, schema_version, order_key,
                                 effective_at, metadata, payload, claims, n);

    INSERT INTO command (command_id, digest, first_position, events)
    SELECT c.command_id, coalesce(c.digest, ''), expected + 1 + c.first::int, c.events::int
      FROM unnest(string_to_array(command_ids, separator), string_to_array(digests, separator),
                  string_to_array(firsts, separator), string_to_array(counts, separator))
           AS c (command_id, digest, first, events);

    RETURN recorded;
END;
$$;
COMMENT ON FUNCTION append IS 'The one way into the book.';
