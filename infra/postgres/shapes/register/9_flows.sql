-- What came in and went out from one day to another, both included, up to a moment (NULL: to the end of the last day), as
-- known at a position (NULL: by all that is known): whole months that are over, and the days at both ends. The moment is
-- told as a value, now as any other, so that no month that is not needed is looked at.
CREATE FUNCTION {name}_flows(first_day date, last_day date, known_at bigint, moment timestamptz)
RETURNS SETOF {name}_flow LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT {dimensions}, {flow_sums} FROM (
        SELECT {dimensions}, {flows} FROM {name}_turnover
         WHERE known_at IS NULL
           AND month >= date_trunc('month', first_day + interval '1 month' - interval '1 day')::date
           AND month < month_at(LEAST(end_of(last_day, {time_zone}), moment), {time_zone})
        UNION ALL   -- before the first whole month
        SELECT {dimensions}, {split}
          FROM {name}_between(
                   start_of(first_day, {time_zone}),
                   LEAST(end_of(date_trunc('month', first_day + interval '1 month' - interval '1 day')::date - 1, {time_zone}),
                         end_of(last_day, {time_zone}), moment))
         WHERE known_at IS NULL
        UNION ALL   -- after the last one
        SELECT {dimensions}, {split}
          FROM {name}_between(
                   start_of(GREATEST(date_trunc('month', first_day + interval '1 month' - interval '1 day')::date,
                                     month_at(LEAST(end_of(last_day, {time_zone}), moment), {time_zone})), {time_zone}),
                   LEAST(end_of(last_day, {time_zone}), moment))
         WHERE known_at IS NULL
        UNION ALL   -- as known then: from the movements alone
        SELECT {dimensions}, {split}
          FROM {name}_between(start_of(first_day, {time_zone}), LEAST(end_of(last_day, {time_zone}), moment))
         WHERE known_at IS NOT NULL AND position <= known_at
    ) parts GROUP BY {dimensions};
END;
COMMENT ON FUNCTION {name}_flows (date, date, bigint, timestamptz) IS
    'Register {name}: what came in and went out from one day to another, both included, as known at a position (NULL: by all '
    'that is known), up to a moment (NULL: to the end of the last day).';
