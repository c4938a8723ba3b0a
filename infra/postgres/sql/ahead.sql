-- What of a batch the book does not have, or has otherwise; the furthest of it first.
SELECT b.upto, e.position IS NULL AS is_missing, (SELECT max(position) FROM head) AS book_end
  FROM unnest(%(upto)s::bigint[], %(recorded_at)s::timestamptz[]) AS b (upto, recorded_at)
  LEFT JOIN event e ON e.position = b.upto
 WHERE e.position IS NULL OR e.recorded_at <> b.recorded_at
 ORDER BY b.upto DESC
 LIMIT 1
