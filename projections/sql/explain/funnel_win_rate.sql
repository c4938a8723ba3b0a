WITH {closings}
SELECT position, CASE outcome WHEN 'won' THEN 1 END AS won, CASE outcome WHEN 'lost' THEN 1 END AS lost, 1 AS closed
  FROM closing
