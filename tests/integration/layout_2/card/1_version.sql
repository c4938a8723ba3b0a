-- The log of a card: each row is a patch of the facts that changed.
CREATE TABLE {name}_version (
    position     bigint      NOT NULL,
    line         smallint    NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    type         text        NOT NULL,
    {columns}
);
CREATE INDEX ON {name}_version USING brin (position) WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX ON {name}_version (key);
COMMENT ON TABLE {name}_version IS 'Card {name}: every patch, with the position of the event that made it.';
