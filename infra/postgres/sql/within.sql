-- As many rows of a page, in their order, as some bytes hold, and one at least; the last says if the page goes on. No
-- bytes: all of them. Measured as text: pg_column_size() takes what is compressed for as small as it lies there.
SELECT *
  FROM (SELECT page.*, lead(true) OVER so_far AS goes_on,
               sum(octet_length(page::text)) OVER so_far - octet_length(page::text) AS bytes_before
          FROM (
{sql}
          ) page
        WINDOW so_far AS (ORDER BY {keys} ROWS UNBOUNDED PRECEDING)) sized
 WHERE %(bytes)s IS NULL OR bytes_before < %(bytes)s
 ORDER BY {keys}
