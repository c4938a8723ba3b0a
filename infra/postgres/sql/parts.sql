-- What each part of a figure is in all.
SELECT part, sum(contribution) AS sum
  FROM (
{pieces}
  ) piece, LATERAL (VALUES {parts}) AS made_of (part, contribution)
 WHERE {key} AND contribution IS NOT NULL
 GROUP BY part
 ORDER BY part
