-- Each move counts: for each stage, what comes in less what goes out are the deals that stand there.
WITH {moves}
SELECT a.n * 1000 + b.n AS line, a.state AS "from", b.state AS "to", count(*) AS deals
  FROM move JOIN state a ON a.state = move.was JOIN state b ON b.state = move.state
 WHERE (%(opened_from)s IS NULL OR (opened_at AT TIME ZONE %(time_zone)s)::date >= %(opened_from)s)
   AND (%(opened_to)s IS NULL OR (opened_at AT TIME ZONE %(time_zone)s)::date <= %(opened_to)s)
 GROUP BY a.n, a.state, b.n, b.state
