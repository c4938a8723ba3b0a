SELECT t.partition, t.partitions, t.position, e.recorded_at::text
  FROM tracking t
  LEFT JOIN event e ON e.position = t.position
 WHERE t.consumer = %s
 ORDER BY t.partition
