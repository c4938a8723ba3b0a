DROP TABLE IF EXISTS {name}_movement, {name}_turnover, {name}_balance CASCADE;
DROP FUNCTION IF EXISTS {name}_at, {name}_flows;
DROP TYPE IF EXISTS {name}_flow;
