-- Analysts read as {reader}: the events, and read models, also those of generations to come. It may write nothing.
GRANT USAGE ON SCHEMA {schema} TO {reader};
GRANT SELECT ON event TO {reader};

SET LOCAL ROLE {service};
GRANT USAGE ON SCHEMA {read_schema} TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA {read_schema} TO {reader};
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {reader};
RESET ROLE;
