INSERT INTO {name}_balance AS t ({dimensions}, {resources})
SELECT {dimensions}, {sums}
  FROM {name}_movement
 WHERE position > %(after)s AND position <= %(upto)s
 GROUP BY {dimensions}
    ON CONFLICT ({dimensions}) DO UPDATE SET {additions}
