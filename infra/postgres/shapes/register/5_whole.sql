-- Gives nothing. An error if a month is detached of which a part lies between two moments.
CREATE FUNCTION {name}_whole(first timestamptz, last timestamptz)
RETURNS SETOF {name}_movement LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 AS $$
DECLARE
    found_month date;
BEGIN
    SELECT max(d.month) INTO found_month
      FROM {read_schema}.{name}_detached d
     WHERE first <= last AND d.starts <= last AND d.ends > first;
    IF found_month IS NOT NULL THEN
        RAISE no_data_found USING
            MESSAGE = format('The month %s of the register {name} is detached.', to_char(found_month, 'YYYY-MM')),
            TABLE = '{name}', DETAIL = to_char(found_month, 'YYYY-MM');
    END IF;
END
$$;
