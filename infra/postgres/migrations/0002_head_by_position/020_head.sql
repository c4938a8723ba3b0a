-- A transaction that stays open, be it a dump or an analyst's, keeps every version that the head has had since. Without
-- an index each append would look through them all. The newest position is found by index
-- (tests/integration/test_head.py). That one row stays is held by privilege: nobody may insert or delete.
ALTER TABLE head DROP COLUMN only_row;
ALTER TABLE head RESET (fillfactor);
CREATE INDEX head_position ON head (position);
