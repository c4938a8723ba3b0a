-- The deals' visits to stages, and the events that ended them.
{moves}, visit AS (
    SELECT stage, deal, effective_at, left_at, position, left_by FROM move
     WHERE outcome = 'open'
       AND (%(opened_from)s IS NULL OR (opened_at AT TIME ZONE %(time_zone)s)::date >= %(opened_from)s)
       AND (%(opened_to)s IS NULL OR (opened_at AT TIME ZONE %(time_zone)s)::date <= %(opened_to)s)
)
