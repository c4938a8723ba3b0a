-- The head row orders commits: an append locks it, takes the next positions, and lets go by committing.
-- So positions are dense, and whoever has read position N has seen all of 1…N (tests/integration/test_race.py).
CREATE TABLE head (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE head IS 'Position and time of the last event.';
INSERT INTO head (position, recorded_at) VALUES (0, '-infinity');
