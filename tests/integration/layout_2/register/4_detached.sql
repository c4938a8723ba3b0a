CREATE TABLE {name}_detached (
    month  date        PRIMARY KEY,
    starts timestamptz NOT NULL,
    ends   timestamptz NOT NULL
);
COMMENT ON TABLE {name}_detached IS 'Register {name}: the months whose movements are not to be had; what would need them is refused.';
