-- How many deals stood in a stage or had an outcome, and what they were worth together, at the end of a day that was
-- over when something of a deal became known. That changes what the deal is from its own moment on, and perhaps again at
-- each later moment of the deal that is known already: what it is with it comes, and what it was without it goes.
-- All that was known at the position that is asked from is one change of each deal, from nothing.
WITH told AS NOT MATERIALIZED (
    SELECT position, type, effective_at, recorded_at, deal, pipeline FROM deal_history
     UNION   -- an opening tells both
    SELECT position, type, effective_at, recorded_at, deal, pipeline FROM deal_facts WHERE amount IS NOT NULL
), fresh AS NOT MATERIALIZED (
    SELECT *, effective_at <= %(moment)s AND "on" < (recorded_at AT TIME ZONE %(time_zone)s)::date AS late
      FROM (SELECT *, (effective_at AT TIME ZONE %(time_zone)s)::date AS "on" FROM told) told
     WHERE position > %(after_)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
       AND (%(pipeline)s IS NULL OR pipeline = %(pipeline)s)
), change AS (
    SELECT position, position - 1 AS before, type, effective_at AS since, deal, pipeline,
           CASE WHEN late THEN "on" END AS late_on
      FROM fresh
     UNION ALL
    SELECT LEAST(%(after_)s, %(known_at)s), NULL, NULL, '-infinity', deal, pipeline, NULL
      FROM (SELECT DISTINCT deal, pipeline FROM told WHERE position <= LEAST(%(after_)s, %(known_at)s)) known
), moved AS (
    SELECT change.position, type, pipeline, stage, currency, figure, step."on", sum(amount) AS amount,
           coalesce(step."on" = late_on, false) AS backdated
      FROM change,
           LATERAL (SELECT effective_at AS at, lead(effective_at) OVER (ORDER BY effective_at) AS until
                      FROM (SELECT effective_at FROM deal_history
                             WHERE deal = change.deal AND effective_at >= since AND position <= change.position
                             UNION
                            SELECT effective_at FROM deal_facts
                             WHERE deal = change.deal AND effective_at >= since AND position <= change.position) AS moment
                   ) AS stretch,
           LATERAL (VALUES (1, change.position), (-1, before)) AS side (sign, known),
           LATERAL (SELECT CASE outcome WHEN 'open' THEN stage ELSE outcome END AS stage
                      FROM deal_history
                     WHERE deal = change.deal AND effective_at <= at AND position <= known
                     ORDER BY effective_at DESC, position DESC LIMIT 1) AS standing
      LEFT JOIN
           LATERAL (SELECT CASE currency WHEN coalesce(%(currency)s, %(book_currency)s) THEN amount ELSE 0 END AS worth
                      FROM deal_facts
                     WHERE deal = change.deal AND amount IS NOT NULL AND effective_at <= at AND position <= known
                     ORDER BY effective_at DESC, position DESC LIMIT 1) AS valued ON true,
           LATERAL (VALUES (at, sign), (until, -sign)) AS edge (at, sign),
           LATERAL (SELECT (edge.at AT TIME ZONE %(time_zone)s)::date AS "on") AS step,
           LATERAL (VALUES ('deals', NULL, edge.sign),
                           ('amount', coalesce(%(currency)s, %(book_currency)s), edge.sign * worth)
                   ) AS part (figure, currency, amount)
     WHERE pipeline IN (SELECT pipeline FROM fresh WHERE late)
       AND edge.at IS NOT NULL AND (%(stage)s IS NULL OR stage = %(stage)s)
     GROUP BY change.position, type, pipeline, stage, part.currency, figure, step."on", late_on
    HAVING sum(amount) <> 0
), {restated}
