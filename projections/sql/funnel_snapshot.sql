-- Deals and their amounts by the state they are in, and by what they are grouped by; a state without deals has a row, too.
WITH {standing}
SELECT n, state, name, probability, owner, source, segment, count(deal) AS deals, coalesce(sum(amount), 0) AS amount
  FROM state LEFT JOIN deal USING (state)
 WHERE n > 0
 GROUP BY n, state, name, probability, owner, source, segment
 ORDER BY n
