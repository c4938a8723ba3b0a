ALTER TABLE generation ADD COLUMN ledger uuid;
COMMENT ON COLUMN generation.ledger IS
    'Identity of the ledger whose events fill it; null: it was begun by a release that did not say.';
