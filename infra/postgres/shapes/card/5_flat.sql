-- Through the function, which knows what has not taken effect yet.
CREATE VIEW {name}s AS
SELECT key AS {key}, {flat}effective_at, position FROM {name}_at(NULL, NULL);
COMMENT ON VIEW {name}s IS 'Cards {name} as of now: one row a {key}, one column a fact.';
COMMENT ON COLUMN {name}s.{key} IS 'The {key}.';
COMMENT ON COLUMN {name}s.effective_at IS 'When the last of these facts took effect.';
COMMENT ON COLUMN {name}s.position IS 'Of the last event that told one of them.';
{flat_comments}
