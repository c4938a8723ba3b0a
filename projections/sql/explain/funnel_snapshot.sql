-- A deal is counted because of the event that put it there; it is worth what the event said that set its amount last.
WITH {standing}
SELECT put_by AS position, state AS stage, owner, source, segment, 1 AS deals, NULL AS amount, NULL AS weighted
  FROM deal JOIN state USING (state)
 UNION ALL
SELECT told_by, state, owner, source, segment, NULL, amount, amount * probability
  FROM deal JOIN state USING (state)
 WHERE told_by IS NOT NULL
