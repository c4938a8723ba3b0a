-- Of a log up to a position, whatever the order of its rows.
SELECT count(*), sum(hash_record_extended(row, 0)) FROM {table} AS row WHERE position <= %(upto)s
