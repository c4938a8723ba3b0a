-- Balances at a moment (NULL: now), as known at a position (NULL: by all that is known).
-- Inlined into the query that uses it; the branches that do not apply are pruned when it is planned. The table as the
-- type of its rows keeps their collation: as plain text the ids would match no index (tests/integration/test_plans.py).
CREATE FUNCTION {name}_at(as_of timestamptz, known_at bigint)
RETURNS SETOF {name}_balance LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT {dimensions}, {sums} FROM (
        SELECT {dimensions}, {resources} FROM {name}_balance
         WHERE as_of IS NULL AND known_at IS NULL
        UNION ALL   -- not yet effective
        SELECT {dimensions}, {negated} FROM {name}_movement
         WHERE as_of IS NULL AND known_at IS NULL
           AND effective_on >= (now() AT TIME ZONE {time_zone})::date AND effective_at > now()
        UNION ALL   -- the whole months before
        SELECT {dimensions}, {nets} FROM {name}_turnover
         WHERE as_of IS NOT NULL AND known_at IS NULL
           AND month < date_trunc('month', as_of AT TIME ZONE {time_zone})::date
        UNION ALL   -- the last month's days
        SELECT {dimensions}, {resources} FROM {name}_movement
         WHERE as_of IS NOT NULL AND known_at IS NULL
           AND effective_on >= date_trunc('month', as_of AT TIME ZONE {time_zone})::date
           AND effective_on <= (as_of AT TIME ZONE {time_zone})::date AND effective_at <= as_of
        UNION ALL   -- as known then: from the movements alone
        SELECT {dimensions}, {resources} FROM {name}_movement
         WHERE known_at IS NOT NULL AND position <= known_at AND effective_at <= coalesce(as_of, now())
    ) parts GROUP BY {dimensions}
$$;
