-- An answer, each row with how far its projection is: one statement, so both are of one moment, in one round trip.
SELECT (SELECT progress(%(answered_from)s)), q.*
  FROM (
{sql}
  ) q
