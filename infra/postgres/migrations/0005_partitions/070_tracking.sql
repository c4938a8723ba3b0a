-- Who reads a topic of twelve partitions keeps twelve positions. Of how many a position is one is in its row, and so is
-- compared with it: who still reads by another number writes nothing (tests/integration/test_read_models.py).
ALTER TABLE tracking ADD COLUMN partitions int NOT NULL DEFAULT 1;
COMMENT ON COLUMN tracking.partition IS 'The events whose order key falls into this partition, of so many as partitions says.';
COMMENT ON COLUMN tracking.position IS 'Everything of this partition up to here has been taken.';
