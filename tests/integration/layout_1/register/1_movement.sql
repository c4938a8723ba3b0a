-- The log of a register: signed movements over its dimensions. {time_zone} decides to which day one belongs.
CREATE TABLE {name}_movement (
    position     bigint      NOT NULL,
    line         smallint    NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    type         text        NOT NULL,
    {columns},
    effective_on date        NOT NULL GENERATED ALWAYS AS ((effective_at AT TIME ZONE {time_zone})::date) STORED
);
CREATE INDEX ON {name}_movement USING brin (position) WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX ON {name}_movement USING brin (effective_on) WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX ON {name}_movement ({first}, effective_on);
COMMENT ON TABLE {name}_movement IS 'Register {name}: every movement, with the position of the event that made it.';
