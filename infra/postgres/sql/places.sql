SELECT t.partition, t.partitions, t.position, e.recorded_at::text
  FROM places(%s) t
  LEFT JOIN event e ON e.position = t.position
 ORDER BY t.partition
