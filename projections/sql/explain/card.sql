-- Each fact of a card, and each part of a fact that has parts, with the event that told it last.
SELECT position, key AS {key}, fact, value #>> ARRAY[]::text[] AS value
  FROM (
    SELECT position, key, told.fact, told.value,
           row_number() OVER (PARTITION BY key, told.fact ORDER BY effective_at DESC, position DESC, line DESC) AS nth
      FROM {card}_version,
           LATERAL jsonb_each(patch) AS whole (fact, value),
           LATERAL (
               SELECT ARRAY[whole.fact], whole.value
                UNION ALL
               SELECT ARRAY[whole.fact, name], part
                 FROM jsonb_each(CASE jsonb_typeof(whole.value) WHEN 'object' THEN whole.value ELSE '{}' END)
                      AS inside (name, part)
           ) AS told (fact, value)
     WHERE effective_at <= %(moment)s AND (%(known_at)s IS NULL OR position <= %(known_at)s)
  ) ranked
 WHERE nth = 1
