-- Deals opened in the period, by how far they have come; one row a stage.
WITH stage AS (
    SELECT ordinality AS n, s ->> 'stage' AS stage, s ->> 'name' AS name
      FROM pipeline_at(NULL, %(known_at)s), jsonb_array_elements(facts -> 'stages') WITH ORDINALITY AS t (s, ordinality)
     WHERE key = %(pipeline)s
), seen AS (
    SELECT h.*, first_value(effective_at) OVER (PARTITION BY deal ORDER BY effective_at, position, line) AS opened_at
      FROM deal_history h
     WHERE pipeline = %(pipeline)s
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
), cohort AS (
    SELECT * FROM seen
     WHERE (opened_at AT TIME ZONE %(time_zone)s)::date BETWEEN %(opened_from)s AND %(opened_to)s
), deal AS (
    SELECT deal, max(n) AS furthest, bool_or(outcome = 'won') AS ever_won,
           (array_agg(outcome ORDER BY effective_at DESC, position DESC, line DESC))[1] AS outcome
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
