WITH {moves}
SELECT position, a.state AS "from", b.state AS "to", 1 AS deals
  FROM move JOIN state a ON a.state = move.was JOIN state b ON b.state = move.state
 WHERE (%(opened_from)s IS NULL OR (opened_at AT TIME ZONE %(time_zone)s)::date >= %(opened_from)s)
   AND (%(opened_to)s IS NULL OR (opened_at AT TIME ZONE %(time_zone)s)::date <= %(opened_to)s)
