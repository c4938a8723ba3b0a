-- An answer, each row with how far its projection is: one statement, so both are of one moment, in one round trip. An
-- answer without rows is one row of the progress alone. Joined on nothing to a single row, the rows keep their order.
-- OFFSET 0: the progress is asked for once, not with every row, and the rows are planned as they would be alone.
SELECT one.progress, answer.*
  FROM (SELECT standing(%(answered_from)s)::text AS progress OFFSET 0) one
  LEFT JOIN (SELECT true AS is_row, q.* FROM (
{sql}
  ) q OFFSET 0) answer ON true
