CREATE TABLE topic (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    name       text        NOT NULL,
    partitions int         NOT NULL,
    since      timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE topic IS 'The Kafka topic that carries the events; no row: none has been needed.';
GRANT SELECT, INSERT, UPDATE ON topic TO {service};
