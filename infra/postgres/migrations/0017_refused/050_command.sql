-- What was refused must not be booked by another try of the same command that is still under way, in whichever process. So
-- a refusal takes the id, and tries that come later take the id with a number behind it (infra/postgres/sql/refuse.sql).
ALTER TABLE command ADD COLUMN refused_at timestamptz;
COMMENT ON TABLE command IS 'Commands that were applied, written in the transaction of their events; and tries that were refused.';
COMMENT ON COLUMN command.command_id IS
    'The caller''s, or one that was made; of a try after one that was refused, followed by a record separator (0x1E) and its number.';
COMMENT ON COLUMN command.refused_at IS 'When this try was refused; null: it was applied.';
