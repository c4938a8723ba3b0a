-- What came into a stage or an outcome, less what went out of it, are the deals that stand there.
WITH entered AS (
    SELECT p.key AS pipeline, t."from", t."to", t.deals
      FROM pipeline p CROSS JOIN LATERAL ({funnel_transitions}) t
), counted AS (
    SELECT pipeline, "to" AS state, deals FROM entered
     UNION ALL
    SELECT pipeline, "from", -deals FROM entered
), moved AS (
    SELECT pipeline, state, sum(deals) AS deals FROM counted GROUP BY pipeline, state
), standing AS (
    SELECT p.key AS pipeline, s.state, s.deals
      FROM pipeline p CROSS JOIN LATERAL ({funnel_snapshot}) s
), wrong AS (
    SELECT pipeline, state, s.deals AS found, coalesce(m.deals, 0) AS expected
      FROM standing s LEFT JOIN moved m USING (pipeline, state)
     WHERE s.deals <> coalesce(m.deals, 0)
)
SELECT total, json_build_object('figure', '/v1/funnel/snapshot', 'pipeline', pipeline, 'stage', state) AS cell,
       'deals' AS figure, found::text, expected::text,
       ARRAY(SELECT DISTINCT h.position   -- of the deals that ever were in a stage that their pipeline does not have
               FROM deal_history h
              WHERE h.pipeline = wrong.pipeline
                AND h.deal IN (SELECT d.deal FROM deal_history d
                                WHERE d.pipeline = wrong.pipeline
                                  AND CASE d.outcome WHEN 'open' THEN d.stage ELSE d.outcome END NOT IN
                                      (SELECT s.state FROM standing s WHERE s.pipeline = wrong.pipeline))
              ORDER BY h.position LIMIT %(first)s) AS positions
  FROM (SELECT *, count(*) OVER () AS total FROM wrong ORDER BY pipeline, state LIMIT %(most)s) wrong
