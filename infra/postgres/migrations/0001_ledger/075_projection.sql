CREATE TABLE projection (
    name    text PRIMARY KEY,
    version int  NOT NULL
);
COMMENT ON TABLE projection IS 'Which version of each projection filled its tables; another one begins again.';

CREATE AGGREGATE jsonb_merge (jsonb) (SFUNC = jsonb_concat, STYPE = jsonb, INITCOND = '{}');
COMMENT ON AGGREGATE jsonb_merge (jsonb) IS 'Patches applied in order: a later key replaces an earlier one.';
