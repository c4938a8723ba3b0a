CREATE TABLE quarantine (
    projection text        COLLATE "C" NOT NULL,
    stream     text        COLLATE "C" NOT NULL,
    order_key  text        NOT NULL,
    version    int         NOT NULL,
    position   bigint      NOT NULL,
    error      text        NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, stream)
);
COMMENT ON TABLE quarantine IS
    'Streams that a projection could not take. What waits is the stream''s events from this version on, in the book.';
COMMENT ON COLUMN quarantine.version IS 'The first event that was not taken.';
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantine TO {service};
