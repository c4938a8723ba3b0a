-- Of the next block of events that is full.
INSERT INTO digest (first, last, digest)
SELECT first, last, digest_of(first, last)
  FROM (SELECT coalesce(max(last), 0) + 1 AS first, coalesce(max(last), 0) + %(block)s AS last FROM digest) next
 WHERE last <= (SELECT max(position) FROM head)
    ON CONFLICT DO NOTHING
