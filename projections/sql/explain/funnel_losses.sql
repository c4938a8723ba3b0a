-- What was lost is worth what the event said that had set its amount last.
WITH {closings}, loss AS (
    SELECT closing.position, stage, reason, worth.amount, worth.position AS told_by
      FROM closing JOIN stage USING (stage) {worth}
     WHERE outcome = 'lost'
)
SELECT position, stage, reason, 1 AS deals, NULL AS amount FROM loss
 UNION ALL
SELECT told_by, stage, reason, NULL, amount FROM loss WHERE told_by IS NOT NULL
