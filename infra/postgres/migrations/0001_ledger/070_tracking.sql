CREATE TABLE tracking (
    consumer  text   NOT NULL,
    partition int    NOT NULL DEFAULT 0,
    position  bigint NOT NULL,
    PRIMARY KEY (consumer, partition)
) WITH (fillfactor = 10);
COMMENT ON TABLE tracking IS 'How far each consumer has got, moved in the transaction of what it wrote.';
