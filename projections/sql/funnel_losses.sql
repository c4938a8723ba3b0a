WITH {closings}
SELECT n AS line, stage, reason, count(*) AS deals, coalesce(sum(worth.amount), 0) AS amount
  FROM closing JOIN stage USING (stage) {worth}
 WHERE outcome = 'lost'
 GROUP BY n, stage, reason
