DROP TABLE IF EXISTS {name}, {name}_version CASCADE;
DROP FUNCTION IF EXISTS {name}_at, {name}_cards;
