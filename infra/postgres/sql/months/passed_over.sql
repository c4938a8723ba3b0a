-- The events in a window of positions whose months are detached from a register.
SELECT e.position
  FROM {name}_detached d
  JOIN event e ON e.effective_at >= d.starts AND e.effective_at < d.ends
 WHERE e.position > %(after)s AND e.position <= %(upto)s
