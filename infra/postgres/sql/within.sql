-- As many rows of a page, in their order, as some bytes hold, and one at least; each with how many there would be. No
-- bytes: all of them. A row is measured as it is in memory, so neither compressed nor out of line.
SELECT *
  FROM (SELECT page.*, count(*) OVER () AS rows_found,
               sum(pg_column_size(page)) OVER (ORDER BY {keys} ROWS UNBOUNDED PRECEDING) - pg_column_size(page) AS bytes_before
          FROM (
{sql}
          ) page) sized
 WHERE %(bytes)s IS NULL OR bytes_before < %(bytes)s
 ORDER BY {keys}
