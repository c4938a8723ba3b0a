-- Of a log up to a position, whatever the order of its rows.
SELECT count(*), sum(hashtextextended(row::text, 0)) FROM {table} AS row WHERE position <= %(upto)s
