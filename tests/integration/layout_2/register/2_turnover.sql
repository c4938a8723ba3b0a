-- Sums of whole months. A backdated movement touches its month's row and no later one.
CREATE TABLE {name}_turnover (
    month date NOT NULL,
    {dimension_columns},
    {turnover_columns},
    UNIQUE NULLS NOT DISTINCT ({dimensions}, month)
) WITH (fillfactor = 80);
CREATE INDEX ON {name}_turnover (month);
COMMENT ON TABLE {name}_turnover IS 'Register {name}: what came in and went out in a month, both as positive numbers.';
