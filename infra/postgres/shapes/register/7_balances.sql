-- Balances at a moment (NULL: now, which is told), as known at a position (NULL: by all that is known). Told as a value,
-- now is known when the question is planned, and no month that is over is looked at.
-- Inlined into the query that uses it; the branches that do not apply are pruned when it is planned. The table as the
-- type of its rows keeps their collation: as plain text the ids would match no index (tests/integration/test_plans.py).
CREATE FUNCTION {name}_balances(as_of timestamptz, known_at bigint, moment timestamptz)
RETURNS SETOF {name}_balance LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT {dimensions}, {sums} FROM (
        SELECT {dimensions}, {resources} FROM {name}_balance
         WHERE as_of IS NULL AND known_at IS NULL
        UNION ALL   -- not yet effective
        SELECT {dimensions}, {negated} FROM {name}_between(moment, 'infinity')
         WHERE as_of IS NULL AND known_at IS NULL AND effective_at > moment
        UNION ALL   -- the months that are over
        SELECT {dimensions}, {nets} FROM {name}_turnover
         WHERE as_of IS NOT NULL AND known_at IS NULL AND month < month_at(as_of, {time_zone})
        UNION ALL   -- the days of the one that is not
        SELECT {dimensions}, {resources}
          FROM {name}_between(start_of(month_at(as_of, {time_zone}), {time_zone}), as_of)
         WHERE as_of IS NOT NULL AND known_at IS NULL
        UNION ALL   -- as known then: from the movements alone
        SELECT {dimensions}, {resources} FROM {name}_between('-infinity', coalesce(as_of, moment))
         WHERE known_at IS NOT NULL AND position <= known_at
    ) parts GROUP BY {dimensions};
END;
