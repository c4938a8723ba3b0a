-- A subject's states: each holds from its moment to the subject's next one by (effective time, position).
CREATE TABLE {name} (
    position     bigint      NOT NULL,
    line         smallint    NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    type         text        NOT NULL,
    {columns}
);
CREATE INDEX ON {name} USING brin (position) WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX ON {name} ({first}, effective_at, position);
COMMENT ON TABLE {name} IS 'History {name}: one row a change of a {first}.';
