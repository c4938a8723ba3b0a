-- The log of a register: signed movements over its dimensions, in a table for each month that is made when it is needed
-- (months.py). {time_zone} decides to which day one belongs, and so to which month. Months are told apart by moments, for
-- a generated column may not do it; what is asked for days is asked for by their first and last moment.
CREATE TABLE {name}_movement (
    position     bigint      NOT NULL,
    line         smallint    NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    type         text        NOT NULL,
    {columns},
    effective_on date        NOT NULL GENERATED ALWAYS AS ((effective_at AT TIME ZONE {time_zone})::date) STORED
) PARTITION BY RANGE (effective_at);
CREATE INDEX ON {name}_movement USING brin (position) WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX ON {name}_movement ({first}, effective_at);
COMMENT ON TABLE {name}_movement IS 'Register {name}: every movement, with the position of the event that made it.';
