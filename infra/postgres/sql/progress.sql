SELECT p.name AS projection, p.version, t.position, (SELECT max(position) FROM head) AS log_size
  FROM projection p
  JOIN tracking t ON t.consumer = p.name AND t.partition = 0
 WHERE p.name = %s
