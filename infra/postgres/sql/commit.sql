-- The order keys of the commit that the event at a position was part of, each with its last position so far as up to
-- there. A commit's events share the time of recording; that of a neighbour at the same microsecond does no harm.
SELECT e.order_key, max(e.position)
  FROM (SELECT recorded_at FROM event WHERE position = %(position)s) made
  LEFT JOIN LATERAL (
       SELECT position FROM event
        WHERE position < %(position)s AND recorded_at < made.recorded_at
        ORDER BY position DESC LIMIT 1) earlier ON true
  JOIN event e ON e.position > coalesce(earlier.position, 0) AND e.position <= %(position)s
 GROUP BY e.order_key
