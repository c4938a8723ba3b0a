-- Whether a period is closed is decided where commits are put in order: two processes cannot disagree about it.
ALTER TABLE head ADD COLUMN open_from timestamptz;
COMMENT ON COLUMN head.open_from IS 'Nothing that takes effect before is accepted; null: no period has been closed yet.';
