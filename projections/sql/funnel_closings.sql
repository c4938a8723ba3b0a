{moves}, closing AS (
    SELECT * FROM move
     WHERE outcome <> 'open'
       AND (effective_at AT TIME ZONE %(time_zone)s)::date BETWEEN %(closed_from)s AND %(closed_to)s
)
