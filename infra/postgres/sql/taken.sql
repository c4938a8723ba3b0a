-- Which of these stream versions, claims and command ids the ledger holds.
SELECT e.stream, e.version::text
  FROM unnest(%s::text[], %s::bigint[]) AS wanted (stream, version)
  JOIN event e ON e.stream = wanted.stream COLLATE "C" AND e.version = wanted.version
UNION ALL
SELECT claims, 'claims' FROM event WHERE claims = ANY (%s::text[])
UNION ALL
SELECT command_id, 'command' FROM command WHERE command_id = ANY (%s::text[])
