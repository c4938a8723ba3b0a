-- The way into the book: a batch in one statement and one round trip. Columns come as strings joined by the unit
-- separator (0x1F), which JSON never holds raw and ids may not contain. A column of one empty string splits into
-- nothing, hence the coalesce.
--
-- Gives no row if the head is not what the writer believes it to be: then nothing was done. What time it is the database
-- says, unless the writer asked it before. The unique indexes are the check of versions, claims and command ids. What the
-- events follow on is looked up one by one, by a subquery that no plan turns into a join: set-wise checks kept a plan
-- made on an empty table and slowed with every row.
WITH gap AS (
    SELECT f.stream, f.version
      FROM unnest(string_to_array(%(before_streams)s::text, chr(31)),
                  string_to_array(%(before_versions)s::text, chr(31))::int[]) AS f (stream, version)
     WHERE (SELECT true FROM event e WHERE e.stream = f.stream COLLATE "C" AND e.version = f.version LIMIT 1) IS NULL
     LIMIT 1
), moved AS (
    UPDATE head
       SET position = %(expected)s::bigint + %(size)s::int,
           recorded_at = greatest(head.recorded_at, coalesce(%(moment)s::timestamptz, clock_timestamp()))
     WHERE position = %(expected)s::bigint AND recorded_at = %(believed)s::timestamptz
    RETURNING recorded_at
), entered AS (
    INSERT INTO event (position, stream, version, type, schema_version, order_key,
                       recorded_at, effective_at, metadata, payload, claims)
    SELECT %(expected)s::bigint + e.n, e.stream, e.version::int, e.type, e.schema_version::smallint, e.order_key,
           moved.recorded_at, e.effective_at::timestamptz, e.metadata, coalesce(e.payload, ''), nullif(e.claims, '')
      FROM moved,
           unnest(string_to_array(%(streams)s::text, chr(31)), string_to_array(%(versions)s::text, chr(31)),
                  string_to_array(%(types)s::text, chr(31)), string_to_array(%(schema_versions)s::text, chr(31)),
                  string_to_array(%(order_keys)s::text, chr(31)), string_to_array(%(effective_ats)s::text, chr(31)),
                  string_to_array(%(metadatas)s::text, chr(31)), string_to_array(%(payloads)s::text, chr(31)),
                  string_to_array(%(claims)s::text, chr(31)))
           WITH ORDINALITY AS e (stream, version, type, schema_version, order_key,
                                 effective_at, metadata, payload, claims, n)
), applied AS (
    INSERT INTO command (command_id, digest, first_position, events)
    SELECT c.command_id, coalesce(c.digest, ''), %(expected)s::bigint + 1 + c.first::int, c.events::int
      FROM moved,
           unnest(string_to_array(%(command_ids)s::text, chr(31)), string_to_array(%(digests)s::text, chr(31)),
                  string_to_array(%(firsts)s::text, chr(31)), string_to_array(%(counts)s::text, chr(31)))
           AS c (command_id, digest, first, events)
)
SELECT CASE WHEN gap.stream IS NULL THEN moved.recorded_at::text ELSE refuse_gap(gap.stream, gap.version) END
  FROM moved LEFT JOIN gap ON true
