-- What the deal of a closing was worth when it closed, in the currency that is asked for.
LEFT JOIN LATERAL (
    SELECT amount, minor_units, position
      FROM (SELECT amount, currency, minor_units, position FROM deal_facts
             WHERE deal = closing.deal AND amount IS NOT NULL
               AND (effective_at, position) <= (closing.effective_at, closing.position)
               AND (%(known_at)s IS NULL OR position <= %(known_at)s)
             ORDER BY effective_at DESC, position DESC LIMIT 1) latest
     WHERE currency = coalesce(%(currency)s, %(book_currency)s)
) worth ON true
