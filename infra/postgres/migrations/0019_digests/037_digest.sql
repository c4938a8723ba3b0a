CREATE TABLE digest (
    first   bigint      PRIMARY KEY,
    last    bigint      NOT NULL,
    digest  text        COLLATE "C" NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE digest IS 'Blocks of events as they were when they were first checked; what has changed since is found by it.';

CREATE TRIGGER digest_is_immutable BEFORE UPDATE OR DELETE ON digest
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE digest ENABLE ALWAYS TRIGGER digest_is_immutable;

CREATE TRIGGER digest_is_not_truncated BEFORE TRUNCATE ON digest
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE digest ENABLE ALWAYS TRIGGER digest_is_not_truncated;

REVOKE UPDATE, DELETE, TRUNCATE ON digest FROM PUBLIC, CURRENT_USER;
GRANT SELECT, INSERT ON digest TO {service};
