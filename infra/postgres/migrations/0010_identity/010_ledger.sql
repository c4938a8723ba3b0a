-- Two ledgers of one name, on one server or one broker, are told apart by it; it goes along with a dump, and with a copy.
ALTER TABLE ledger ADD COLUMN identity uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN ledger.identity IS 'Which book this is, whatever it is called: made with it, and anew when a copy is to be another book.';
