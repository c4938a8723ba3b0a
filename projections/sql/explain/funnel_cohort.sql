-- A deal is opened by its first move, visits a stage by the first that enters it, and reaches one by the first that goes
-- there, goes further or wins. What becomes of a deal is what its last move made of it.
WITH {moves}, come AS (
    SELECT *, row_number() OVER (PARTITION BY deal ORDER BY effective_at, position, line) AS nth
      FROM move JOIN stage USING (stage)
     WHERE (opened_at AT TIME ZONE %(time_zone)s)::date BETWEEN %(opened_from)s AND %(opened_to)s
), reached AS (
    SELECT DISTINCT ON (deal, stage.n) position, stage.n
      FROM come JOIN stage ON come.n >= stage.n OR outcome = 'won'
     ORDER BY deal, stage.n, nth
), visited AS (
    SELECT DISTINCT ON (deal, stage) position, stage FROM come WHERE outcome = 'open' ORDER BY deal, stage, nth
), told AS (
    SELECT position, 'opened' AS figure, NULL AS stage FROM come WHERE nth = 1
     UNION ALL
    SELECT position, outcome, NULL FROM come WHERE left_at IS NULL
     UNION ALL
    SELECT position, 'visited', stage FROM visited
     UNION ALL
    SELECT position, 'reached', stage FROM reached JOIN stage USING (n)
     UNION ALL
    SELECT position, 'next', stage FROM reached JOIN stage ON stage.n = reached.n - 1
     UNION ALL
    SELECT position, 'next', (SELECT stage FROM stage ORDER BY n DESC LIMIT 1)
      FROM come WHERE left_at IS NULL AND outcome = 'won'
)
SELECT position, stage,
       CASE figure WHEN 'opened' THEN 1 END AS opened, CASE figure WHEN 'open' THEN 1 END AS open,
       CASE figure WHEN 'won' THEN 1 END AS won, CASE figure WHEN 'lost' THEN 1 END AS lost,
       CASE figure WHEN 'visited' THEN 1 END AS visited, CASE figure WHEN 'reached' THEN 1 END AS reached,
       CASE figure WHEN 'next' THEN 1 END AS "next"
  FROM told
