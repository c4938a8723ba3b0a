CREATE TABLE generation (
    projection text        COLLATE "C" NOT NULL,
    number     int         NOT NULL,
    version    int         NOT NULL,
    state      text        NOT NULL CHECK (state IN ('filling', 'current', 'old')),
    objects    text[]      NOT NULL,
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz,
    PRIMARY KEY (projection, number)
);
CREATE UNIQUE INDEX generation_current ON generation (projection) WHERE state = 'current';
COMMENT ON TABLE generation IS
    'Each time that a projection was filled from the first event. The current one is in the read schema, the others are in '
    'schemas of their own until they are dropped.';
COMMENT ON COLUMN generation.objects IS 'Its tables, views, functions and types, as ALTER … SET SCHEMA takes them.';
COMMENT ON COLUMN generation.ended_at IS 'When another one took its place.';
GRANT SELECT, INSERT, UPDATE, DELETE ON generation TO {service};
