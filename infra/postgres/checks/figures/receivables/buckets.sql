-- Ageing buckets and unapplied are together the balance, which is the sum of the movements that have taken effect.
WITH answered AS (
{receivables_ageing}
), moved AS (
    SELECT client, counterparty, currency, sum(amount) AS amount
      FROM (SELECT client, counterparty, currency, amount
              FROM receivables_movement
             WHERE effective_at <= %(moment)s
               AND NOT EXISTS (SELECT FROM receivables_detached WHERE effective_at >= starts AND effective_at < ends)
             UNION ALL
            SELECT client, counterparty, currency, amount_in - amount_out
              FROM receivables_turnover WHERE month IN (SELECT month FROM receivables_detached)) parts
     GROUP BY client, counterparty, currency
), wrong AS (
    SELECT client, counterparty, currency, figure, found, coalesce(m.amount, 0) AS expected
      FROM answered a FULL JOIN moved m USING (client, counterparty, currency)
      CROSS JOIN LATERAL (VALUES ('buckets and unapplied', current + d1_30 + d31_60 + d61_90 + over_90 + unapplied),
                                 ('balance', balance)) AS each (figure, found)
     WHERE coalesce(found, 0) <> coalesce(m.amount, 0)
)
SELECT total, json_build_object('figure', '/v1/receivables/ageing', 'client', client, 'counterparty', counterparty,
                                 'currency', currency) AS cell,
       figure, found::text, expected::text,
       ARRAY(SELECT DISTINCT m.position
               FROM receivables_movement m
              WHERE (m.client, m.counterparty, m.currency) = (wrong.client, wrong.counterparty, wrong.currency)
              ORDER BY m.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY client, counterparty, currency, figure
         LIMIT %(most)s) wrong
