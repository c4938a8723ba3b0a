-- Gives a row if the position has moved up, and none if it has been there or beyond.
INSERT INTO tracking (consumer, position) VALUES (%s, %s)
    ON CONFLICT (consumer, partition) DO UPDATE SET position = excluded.position
 WHERE tracking.position < excluded.position
RETURNING position
