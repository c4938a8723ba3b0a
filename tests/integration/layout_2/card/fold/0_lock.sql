-- Two partitions may tell of one key, a debtor of two clients for one. Who merges first must be seen by the other, so they
-- merge one after the other (tests/integration/test_read_models.py). Held by the table's number; its readers do not wait.
SELECT pg_advisory_xact_lock('{name}'::regclass::oid::bigint)
