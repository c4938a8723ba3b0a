-- As many rows of a page, in their order, as some bytes hold, and one at least; each with how many there would be. No
-- bytes: all of them. Measured as text: pg_column_size() takes what is compressed for as small as it lies there.
SELECT *
  FROM (SELECT page.*, count(*) OVER () AS rows_found,
               sum(octet_length(page::text)) OVER (ORDER BY {keys} ROWS UNBOUNDED PRECEDING) - octet_length(page::text)
               AS bytes_before
          FROM (
{sql}
          ) page) sized
 WHERE %(bytes)s IS NULL OR bytes_before < %(bytes)s
 ORDER BY {keys}
