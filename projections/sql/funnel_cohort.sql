-- Deals opened in the period, by how far they have come; one row a stage.
WITH {moves}, cohort AS (
    SELECT * FROM move
     WHERE (opened_at AT TIME ZONE %(time_zone)s)::date BETWEEN %(opened_from)s AND %(opened_to)s
), deal AS (
    SELECT deal, max(n) AS furthest, bool_or(outcome = 'won') AS ever_won,
           max(outcome) FILTER (WHERE left_at IS NULL) AS outcome
      FROM cohort JOIN stage USING (stage) GROUP BY deal
), total AS (
    SELECT count(*) AS opened, count(*) FILTER (WHERE outcome = 'won') AS won,
           count(*) FILTER (WHERE outcome = 'lost') AS lost
      FROM deal
), reached AS (
    SELECT stage.*,
           (SELECT count(*) FROM deal WHERE furthest >= stage.n OR ever_won) AS reached,
           (SELECT count(DISTINCT deal) FROM cohort WHERE cohort.stage = stage.stage AND cohort.outcome = 'open') AS visited
      FROM stage
)
SELECT n, stage, name, reached, visited,
       round(coalesce(lead(reached) OVER (ORDER BY n), won)::numeric / nullif(reached, 0), 4) AS step_conversion,
       opened, won, lost, round(won::numeric / nullif(opened, 0), 4) AS conversion
  FROM reached, total
 ORDER BY n
