WITH {closings}
SELECT position, outcome, 1 AS deals, trim_scale(extract(epoch FROM effective_at - opened_at)) AS seconds FROM closing
