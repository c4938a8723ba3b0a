-- The rows of a log that are of events in a window of positions, as text.
SELECT position, line, effective_at::text, recorded_at::text, type, {columns}
  FROM {log}
 WHERE position > %(after)s AND position <= %(upto)s
 ORDER BY position, line
