-- How many deals stood in a stage or had an outcome at the end of a day that was over when a move of it became known.
-- A move, as it becomes known, takes the deal from where it stood to where it goes, until the deal's next move.
WITH move AS NOT MATERIALIZED (
    SELECT position, type, effective_at, recorded_at, deal, pipeline,
           CASE outcome WHEN 'open' THEN stage ELSE outcome END AS state
      FROM deal_history
     WHERE %(known_at)s IS NULL OR position <= %(known_at)s
), late AS (
    SELECT DISTINCT pipeline FROM move
     WHERE position > %(after_)s AND effective_at <= %(moment)s AND (%(pipeline)s IS NULL OR pipeline = %(pipeline)s)
       AND (effective_at AT TIME ZONE %(time_zone)s)::date < (recorded_at AT TIME ZONE %(time_zone)s)::date
), moved AS (
    SELECT position, type, pipeline, change.stage, 'deals' AS figure, "on", sum(amount)::int AS amount,
           position > %(after_)s AND effective_at <= %(moment)s
               AND "on" = (effective_at AT TIME ZONE %(time_zone)s)::date
               AND "on" < (recorded_at AT TIME ZONE %(time_zone)s)::date AS backdated
      FROM late JOIN move USING (pipeline)
      LEFT JOIN LATERAL (
          SELECT state FROM move earlier
           WHERE earlier.deal = move.deal AND earlier.effective_at <= move.effective_at
             AND earlier.position < move.position
           ORDER BY effective_at DESC, position DESC LIMIT 1
      ) AS before ON true
      LEFT JOIN LATERAL (
          SELECT effective_at AS until FROM move next
           WHERE next.deal = move.deal AND next.effective_at > move.effective_at AND next.position < move.position
           ORDER BY effective_at, position LIMIT 1
      ) AS after ON true,
           LATERAL (VALUES (move.effective_at, move.state, 1), (move.effective_at, before.state, -1),
                           (after.until, move.state, -1), (after.until, before.state, 1)) AS change (at, stage, amount),
           LATERAL (SELECT (change.at AT TIME ZONE %(time_zone)s)::date AS "on") AS day
     WHERE change.at IS NOT NULL AND change.stage IS NOT NULL AND (%(stage)s IS NULL OR change.stage = %(stage)s)
     GROUP BY position, type, effective_at, recorded_at, pipeline, change.stage, "on"
    HAVING sum(amount) <> 0
), {restated}
