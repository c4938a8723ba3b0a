DROP TABLE IF EXISTS {name}_movement, {name}_turnover, {name}_balance, {name}_detached CASCADE;
DROP FUNCTION IF EXISTS {name}_at, {name}_balances, {name}_flows, {name}_between, {name}_whole;
DROP TYPE IF EXISTS {name}_flow;
