-- The last position that was known at a time. Positions are dense and time never goes back along them, so it is found
-- by halving: some twenty look-ups for a million events.
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, max(position) FROM head
    UNION ALL
    SELECT CASE WHEN e.recorded_at <= %(moment)s THEN e.position ELSE s.low END,
           CASE WHEN e.recorded_at <= %(moment)s THEN s.high ELSE e.position - 1 END
      FROM search s
      JOIN event e ON e.position = (s.low + s.high + 1) / 2
     WHERE s.low < s.high
)
SELECT low AS position FROM search WHERE low = high
