-- A transaction that stays open keeps every version that a row of tracking has had since. Without the position in its
-- index each move would look through them all, to find its row or to see that it is the only one. With it the row that
-- stands at a position is found at once, and the newest of a partition is the last in the index
-- (tests/integration/test_tracking.py). That there is one row a partition is held by who inserts: spread.sql.
ALTER TABLE tracking DROP CONSTRAINT tracking_pkey;
ALTER TABLE tracking RESET (fillfactor);
CREATE UNIQUE INDEX tracking_place ON tracking (consumer, partition, position);
