-- One ledger is one company: one schema, one head, one book currency, one time zone, set when it is made.
CREATE TABLE ledger (
    only_row      boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    book_currency text        NOT NULL,
    time_zone     text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ledger IS 'What was settled when this ledger was made.';
COMMENT ON COLUMN ledger.time_zone IS 'Decides to which day and month a moment belongs, in every report.';
