CREATE TABLE {name} (
    key          text        COLLATE "C" PRIMARY KEY,
    facts        jsonb       NOT NULL,
    effective_at timestamptz NOT NULL,
    position     bigint      NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON {name} (effective_at);
COMMENT ON TABLE {name} IS 'Card {name}: the latest facts, with the latest effective_at and the highest position of their patches.';
