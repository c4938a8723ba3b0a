-- Each closing in the period counts; no row if there is no such pipeline.
WITH {closings}
SELECT won, lost, round(won::numeric / nullif(won + lost, 0), 4) AS rate
  FROM (SELECT count(*) FILTER (WHERE outcome = 'won') AS won, count(*) FILTER (WHERE outcome = 'lost') AS lost
          FROM closing) closings
 WHERE EXISTS (SELECT FROM stage)
