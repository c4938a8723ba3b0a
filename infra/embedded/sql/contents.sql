-- How many rows there are, and the sum of their hashes; by SHA, which no version of PostgreSQL may reckon otherwise.
SELECT count(*), sum(('x' || left(encode(sha256(convert_to(t::text, 'UTF8')), 'hex'), 15))::bit(60)::bigint)
  FROM ONLY {table} t
