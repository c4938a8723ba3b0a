-- The product works as {service}, which may add to the book and not change it; the owner gives up the right as well.
REVOKE UPDATE, DELETE, TRUNCATE ON event, command FROM PUBLIC, CURRENT_USER;

GRANT USAGE ON SCHEMA {schema} TO {service};
GRANT SELECT, INSERT ON event, command TO {service};
GRANT SELECT, UPDATE ON head TO {service};
GRANT SELECT, INSERT ON ledger TO {service};
GRANT SELECT, INSERT, DELETE ON snapshot TO {service};
GRANT SELECT, INSERT, UPDATE, DELETE ON tracking, projection TO {service};

CREATE SCHEMA {read_schema} AUTHORIZATION {service};
COMMENT ON SCHEMA {read_schema} IS 'Read models: everything here is rebuilt from the events of {schema}.';
