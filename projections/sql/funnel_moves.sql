-- The pipeline's stages, by all its definitions, whenever they take effect; all states of a deal, and the deals' moves as
-- they are seen: where from, where to, until when, and which move ended it.
stage AS (
    SELECT ordinality AS n, s ->> 'stage' AS stage, s ->> 'name' AS name, (s ->> 'probability')::numeric AS probability
      FROM pipeline_at('infinity', %(known_at)s),
           jsonb_array_elements(facts -> 'stages') WITH ORDINALITY AS t (s, ordinality)
     WHERE key = %(pipeline)s
), state AS (
    SELECT n, stage AS state, name, probability FROM stage
    UNION ALL
    SELECT n, state, NULL, NULL FROM (VALUES (0, 'start'), (101, 'won'), (102, 'lost')) AS other (n, state)
     WHERE EXISTS (SELECT FROM stage)
), move AS (
    SELECT seen.*, coalesce(lag(state) OVER life, 'start') AS was, lead(effective_at) OVER life AS left_at,
           lead(position) OVER life AS left_by, first_value(effective_at) OVER life AS opened_at
      FROM (SELECT *, CASE outcome WHEN 'open' THEN stage ELSE outcome END AS state FROM deal_history) seen
     WHERE pipeline = %(pipeline)s
       AND effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
    WINDOW life AS (PARTITION BY deal ORDER BY effective_at, position, line)
)
