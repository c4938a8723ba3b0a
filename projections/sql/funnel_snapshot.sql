-- Deals and their amounts by the stage they stand in; one row a stage, then one for won and one for lost.
WITH stage AS (
    SELECT ordinality AS n, s ->> 'stage' AS stage, s ->> 'name' AS name, (s ->> 'probability')::numeric AS probability
      FROM pipeline_at(NULL, %(known_at)s), jsonb_array_elements(facts -> 'stages') WITH ORDINALITY AS t (s, ordinality)
     WHERE key = %(pipeline)s
), seen AS (
    SELECT * FROM deal_history
     WHERE pipeline = %(pipeline)s
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
), standing AS (
    SELECT DISTINCT ON (deal) deal, stage, outcome FROM seen
     ORDER BY deal, effective_at DESC, position DESC, line DESC
), worth AS (
    SELECT DISTINCT ON (deal) deal, amount, currency FROM seen WHERE amount IS NOT NULL
     ORDER BY deal, effective_at DESC, position DESC, line DESC
), deal AS (
    SELECT standing.*, CASE WHEN currency = coalesce(%(currency)s, %(book_currency)s) THEN amount ELSE 0 END AS amount
      FROM standing LEFT JOIN worth USING (deal)
)
SELECT n, stage.stage, name, NULL AS outcome, count(deal) AS deals, coalesce(sum(amount), 0) AS amount,
       coalesce(sum(amount), 0) * probability AS weighted
  FROM stage LEFT JOIN deal ON deal.stage = stage.stage AND deal.outcome = 'open'
 GROUP BY n, stage.stage, name, probability
UNION ALL
SELECT 1000000 + o.n, NULL, NULL, o.outcome, count(deal), coalesce(sum(amount), 0), NULL
  FROM (VALUES (1, 'won'), (2, 'lost')) AS o (n, outcome) LEFT JOIN deal USING (outcome)
 WHERE EXISTS (SELECT FROM stage)
 GROUP BY o.n, o.outcome
 ORDER BY 1
