SELECT card.key AS deal, card.facts, card.position,
       h.stage AS stay_stage, h.outcome AS stay_outcome, h.effective_at AS stay_entered_at,
       lead(h.effective_at) OVER (ORDER BY h.effective_at, h.position, h.line) AS stay_left_at,
       h.position AS stay_position
  FROM deal_cards(%(as_of)s, %(known_at)s, %(moment)s) card
  JOIN deal_history h ON h.deal = card.key
   AND h.effective_at <= %(moment)s AND (%(known_at)s IS NULL OR h.position <= %(known_at)s)
 WHERE card.key = %(deal)s
 ORDER BY h.effective_at, h.position, h.line
