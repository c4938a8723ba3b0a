-- Gives a row if the position has moved up, and none if it has been there or beyond. One at a time for each consumer.
SELECT pg_advisory_xact_lock(hashtextextended(current_schema || ' tracking ' || %(consumer)s, 0));
WITH here AS (
    SELECT position FROM tracking WHERE consumer = %(consumer)s AND partition = 0 ORDER BY position DESC LIMIT 1
), moved AS (
    UPDATE tracking SET position = %(position)s
     WHERE consumer = %(consumer)s AND partition = 0 AND position = (TABLE here) AND position < %(position)s
    RETURNING position
), begun AS (
    INSERT INTO tracking (consumer, position) SELECT %(consumer)s, %(position)s WHERE NOT EXISTS (TABLE here)
    RETURNING position
)
TABLE moved UNION ALL TABLE begun
