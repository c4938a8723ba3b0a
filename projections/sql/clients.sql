-- What changes piece by piece is a fact a piece (projections/clients.py); here it is put together.
SELECT key AS client,
       (SELECT jsonb_object_agg(k, v) FILTER (WHERE strpos(k, '.') = 0)
            || jsonb_build_object(
                   'attributes', coalesce(jsonb_strip_nulls(
                       jsonb_object_agg(substr(k, 12), v) FILTER (WHERE starts_with(k, 'attributes.'))), '{}'),
                   'contacts', coalesce(jsonb_strip_nulls(
                       jsonb_object_agg(substr(k, 10), v) FILTER (WHERE starts_with(k, 'contacts.'))), '{}'),
                   'counterparties', coalesce(
                       jsonb_agg(v || jsonb_build_object('retired_on', facts -> ('retired.' || substr(k, 14))) ORDER BY k)
                           FILTER (WHERE starts_with(k, 'counterparty.')), '[]'))
          FROM jsonb_each(facts) AS e (k, v)) AS facts,
       effective_at, position
  FROM (SELECT key, facts, facts ->> 'name' AS name, effective_at, position
          FROM client_cards(%(as_of)s, %(known_at)s, %(moment)s)) card
 WHERE name IS NOT NULL AND ({where})
