-- The facts at a moment (NULL: now, which is told), as known at a position (NULL: by all that is known).
CREATE FUNCTION {name}_cards(as_of timestamptz, known_at bigint, moment timestamptz)
RETURNS SETOF {name} LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT c.key, c.facts, c.effective_at, c.position FROM {name} c
     WHERE as_of IS NULL AND known_at IS NULL AND c.effective_at <= moment
    UNION ALL   -- not yet effective in part
    SELECT v.key, jsonb_merge(v.patch ORDER BY v.effective_at, v.position, v.line), max(v.effective_at), max(v.position)
      FROM {name} c JOIN {name}_version v ON v.key = c.key
     WHERE as_of IS NULL AND known_at IS NULL AND c.effective_at > moment AND v.effective_at <= moment
     GROUP BY v.key
    UNION ALL
    SELECT v.key, jsonb_merge(v.patch ORDER BY v.effective_at, v.position, v.line), max(v.effective_at), max(v.position)
      FROM {name}_version v
     WHERE (as_of IS NOT NULL OR known_at IS NOT NULL)
       AND v.effective_at <= coalesce(as_of, moment) AND (known_at IS NULL OR v.position <= known_at)
     GROUP BY v.key;
END;
