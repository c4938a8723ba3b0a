CREATE TABLE {name}_balance (
    {dimension_columns},
    {resource_columns},
    UNIQUE NULLS NOT DISTINCT ({dimensions})
) WITH (fillfactor = 80);
COMMENT ON TABLE {name}_balance IS 'Register {name}: the sum of all movements known; what adds up to nothing has no row.';
