ALTER TABLE {log} ATTACH PARTITION {schema}.{table} FOR VALUES FROM (%(starts)s) TO (%(ends)s)
