CREATE TABLE snapshot (
    stream  text    COLLATE "C" NOT NULL,
    version integer NOT NULL,
    type    text    NOT NULL,
    state   text    NOT NULL,
    PRIMARY KEY (stream, version)
);
COMMENT ON TABLE snapshot IS 'Aggregates kept whole so that long streams load fast. Disposable: delete it when you like.';
