-- What came in and went out from one day to another, both included: whole months, and the days at both ends.
CREATE FUNCTION {name}_flows(first_day date, last_day date, known_at bigint)
RETURNS SETOF {name}_flow LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT {dimensions}, {flow_sums} FROM (
        SELECT {dimensions}, {flows} FROM {name}_turnover
         WHERE known_at IS NULL
           AND month >= date_trunc('month', first_day + interval '1 month' - interval '1 day')::date
           AND month < date_trunc('month', (last_day + 1)::timestamp)::date
        UNION ALL
        SELECT {dimensions}, {split} FROM {name}_movement
         WHERE known_at IS NULL AND effective_on BETWEEN first_day AND last_day
           AND NOT (effective_on >= date_trunc('month', first_day + interval '1 month' - interval '1 day')::date
                    AND effective_on < date_trunc('month', (last_day + 1)::timestamp)::date)
        UNION ALL
        SELECT {dimensions}, {split} FROM {name}_movement
         WHERE known_at IS NOT NULL AND position <= known_at AND effective_on BETWEEN first_day AND last_day
    ) parts GROUP BY {dimensions}
$$;
