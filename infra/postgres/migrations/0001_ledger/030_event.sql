CREATE TABLE event (
    position       bigint      PRIMARY KEY,
    stream         text        COLLATE "C" NOT NULL,
    version        integer     NOT NULL,
    type           text        NOT NULL,
    schema_version smallint    NOT NULL,
    order_key      text        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    effective_at   timestamptz NOT NULL,
    metadata       text        NOT NULL,
    payload        text        NOT NULL,
    claims         text        COLLATE "C",
    CONSTRAINT event_stream_version UNIQUE (stream, version)
);
CREATE UNIQUE INDEX event_claims ON event (claims) WHERE claims IS NOT NULL;
CREATE INDEX event_recorded_at ON event USING brin (recorded_at);

COMMENT ON TABLE event IS 'The book: one row an event, in order of commit, never changed and never lost.';
COMMENT ON COLUMN event.position IS '1, 2, 3 … without gaps, in order of commit.';
COMMENT ON COLUMN event.stream IS 'Whose history it belongs to, e.g. deal-D1.';
COMMENT ON COLUMN event.version IS 'Place in its stream, from 1.';
COMMENT ON COLUMN event.type IS 'What happened: a stable dotted name, e.g. deal.moved.';
COMMENT ON COLUMN event.schema_version IS 'Shape of the payload; older shapes are brought up to date when read.';
COMMENT ON COLUMN event.order_key IS 'Events with the same key keep their order for every reader.';
COMMENT ON COLUMN event.recorded_at IS 'When it became known. Never goes back along position.';
COMMENT ON COLUMN event.effective_at IS 'When it counts in business.';
COMMENT ON COLUMN event.metadata IS 'JSON: actor, command_id, correlation_id, reason.';
COMMENT ON COLUMN event.payload IS 'JSON, to the byte as written: payload::jsonb ->> ''amount''.';
COMMENT ON COLUMN event.claims IS 'A business id that this event brings into the ledger, e.g. invoice:I1; unique.';
