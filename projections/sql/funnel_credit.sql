-- What was won in the period, by the touches that led to it. Of an even division what each touch gets is how far the rounded
-- sum goes up with it: never below nothing, and the amount in all. What nothing led to goes to the deal's own source.
{closings}, winning AS (
    SELECT closing.position, opened.client, opened.source, opened.position AS opened_by,
           coalesce(worth.amount, 0) AS amount, worth.minor_units,
           CASE %(until)s WHEN 'opening' THEN opened_at ELSE closing.effective_at END AS until
      FROM closing JOIN deal_facts opened ON opened.deal = closing.deal AND opened.type = 'deal.opened' {worth}
     WHERE outcome = 'won'
), touched AS (
    SELECT winning.*, touch.source AS touch, touch.position AS touched_by,
           count(*) OVER (PARTITION BY winning.position) AS touches,
           row_number() OVER (PARTITION BY winning.position ORDER BY touch.effective_at, touch.position) AS nth
      FROM winning LEFT JOIN touch
        ON touch.client = winning.client AND touch.effective_at <= winning.until
       AND (%(known_at)s IS NULL OR touch.position <= %(known_at)s)
), part AS (
    SELECT *, round(amount::numeric(40, 20) * nth / touches, minor_units)
            - round(amount::numeric(40, 20) * (nth - 1) / touches, minor_units) AS even
      FROM touched
), credit AS (
    SELECT position, coalesce(touch, source) AS source, coalesce(touched_by, opened_by) AS led_by,
           CASE WHEN %(method)s <> 'linear' OR touches = 1 THEN amount ELSE coalesce(even, 0) END AS amount
      FROM part
     WHERE CASE %(method)s WHEN 'first' THEN nth = 1 WHEN 'last' THEN nth = touches ELSE true END
)
