CREATE TABLE command (
    command_id     text     COLLATE "C" PRIMARY KEY,
    digest         text     NOT NULL,
    first_position bigint   NOT NULL,
    events         integer  NOT NULL
);
COMMENT ON TABLE command IS 'Commands that were applied, written in the transaction of their events.';
COMMENT ON COLUMN command.digest IS 'SHA-256 of type and body: the same id with another body is refused.';

CREATE TRIGGER command_is_immutable BEFORE UPDATE OR DELETE ON command
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
ALTER TABLE command ENABLE ALWAYS TRIGGER command_is_immutable;

CREATE TRIGGER command_is_not_truncated BEFORE TRUNCATE ON command
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE command ENABLE ALWAYS TRIGGER command_is_not_truncated;
