ranked AS (
    -- Those beyond the position that is asked from are numbered in the order in which they became known.
    SELECT moved.*, position > %(after_)s AS fresh,
           row_number() OVER (PARTITION BY {cell}, position > %(after_)s ORDER BY position) - 1 AS number,
           count(*) OVER (PARTITION BY {cell}, position > %(after_)s) AS many
      FROM moved
), part AS (
    -- What was known before a movement, of its day or an earlier one, without comparing each with each: the numbers are
    -- cut into blocks of 2, 4, 8 …, and any two are in the two halves of exactly one block. In each block the days of the
    -- first half are added up for the second. At level -1 what is not fresh is added up for what is.
    SELECT ranked.*, level,
           CASE WHEN later THEN
               sum(amount) FILTER (WHERE NOT later) OVER (PARTITION BY {cell}, level, block ORDER BY "on")
           END AS known
      FROM ranked,
           LATERAL generate_series(-1, CASE WHEN fresh THEN ceil(log(2, many))::int ELSE -1 END) AS level,
           LATERAL (SELECT CASE level WHEN -1 THEN 0 ELSE number >> (level + 1) END AS block,
                           CASE level WHEN -1 THEN fresh ELSE (number >> level) & 1 = 1 END AS later) AS half
)
SELECT position, type AS caused_by, "on", {cell}, coalesce(sum(known), 0) AS was, coalesce(sum(known), 0) + amount AS "is"
  FROM part
 WHERE backdated
 GROUP BY position, type, "on", {cell}, amount
