INSERT INTO {name}_turnover AS t (month, {dimensions}, {flows})
SELECT date_trunc('month', effective_on)::date, {dimensions}, {split_sums}
  FROM {name}_movement
 WHERE position > %(after)s AND position <= %(upto)s
 GROUP BY 1, {dimensions}
    ON CONFLICT ({dimensions}, month) DO UPDATE SET {flow_additions}
