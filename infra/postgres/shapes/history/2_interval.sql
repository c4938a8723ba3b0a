CREATE VIEW {name}_interval AS
SELECT *, lead(effective_at) OVER (PARTITION BY {first} ORDER BY effective_at, position, line) AS left_at
  FROM {name};
COMMENT ON VIEW {name}_interval IS 'History {name} as intervals: from effective_at to left_at, open if NULL.';
