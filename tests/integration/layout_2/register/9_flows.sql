-- What came in and went out from one day to another, both included: whole months, and the days at both ends.
CREATE FUNCTION {name}_flows(first_day date, last_day date, known_at bigint)
RETURNS SETOF {name}_flow LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT {dimensions}, {flow_sums} FROM (
        SELECT {dimensions}, {flows} FROM {name}_turnover
         WHERE known_at IS NULL
           AND month >= date_trunc('month', first_day + interval '1 month' - interval '1 day')::date
           AND month < date_trunc('month', (last_day + 1)::timestamp)::date
        UNION ALL   -- before the first whole month
        SELECT {dimensions}, {split}
          FROM {name}_between(
                   start_of(first_day, {time_zone}),
                   end_of(LEAST(last_day, date_trunc('month', first_day + interval '1 month' - interval '1 day')::date - 1),
                          {time_zone}))
         WHERE known_at IS NULL
        UNION ALL   -- after the last one
        SELECT {dimensions}, {split}
          FROM {name}_between(
                   start_of(GREATEST(date_trunc('month', first_day + interval '1 month' - interval '1 day')::date,
                                     date_trunc('month', (last_day + 1)::timestamp)::date), {time_zone}),
                   end_of(last_day, {time_zone}))
         WHERE known_at IS NULL
        UNION ALL
        SELECT {dimensions}, {split}
          FROM {name}_between(start_of(first_day, {time_zone}), end_of(last_day, {time_zone}))
         WHERE known_at IS NOT NULL AND position <= known_at
    ) parts GROUP BY {dimensions}
$$;
